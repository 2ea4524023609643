/** Texts in pieces, of which those are marked that are among some terms. */
import type { TextReader } from 'orthant/text';

export interface Segment {
  text: string;
  marked: boolean;
}

const runs = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+){0,9}/gu;

/** Marks the words of a text that become one of the terms. A run of several words, as scripts without spaces have them, is looked at word by word. */
export function markedBy(text: string, terms: ReadonlySet<string>, reader: TextReader): Segment[] {
  const found = [...text.matchAll(runs)];
  // Terms of several words mark each of their words.
  const single = new Set([...terms].flatMap((term) => term.split(' ')));
  const read = reader.termsOf(found.map(([word]) => word));
  const segments: Segment[] = [];
  let at = 0;
  const add = (to: number, marked: boolean) => {
    if (to > at) segments.push({ text: text.slice(at, to), marked });
    at = to;
  };
  for (const [i, match] of found.entries()) {
    const [run] = match;
    const own = read[i];
    if (own.length === 1 ? single.has(own[0]) : false) {
      add(match.index, false);
      add(match.index + run.length, true);
    } else if (own.length > 1) {
      let from = 0;
      for (const term of own) {
        const place = single.has(term) ? run.toLowerCase().indexOf(term, from) : -1;
        if (place < 0) continue;
        add(match.index + place, false);
        add(match.index + place + term.length, true);
        from = place + term.length;
      }
    }
  }
  add(text.length, false);
  return segments;
}
