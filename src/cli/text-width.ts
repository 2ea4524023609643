/** Texts in columns of a terminal. */

/** Breaks at spaces; a word that is too long for a line is cut, or stays whole. */
export function wrap(text: string, width: number, tooLong: 'cut' | 'whole' = 'cut'): string[] {
  const fitted = (line: string) => (tooLong === 'cut' ? cut(line, room) : line);
  const room = Math.max(width, 20);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || columnsOf(longer) <= room) {
      line = longer;
      continue;
    }
    lines.push(fitted(line));
    line = word;
  }
  return [...lines, fitted(line)];
}

/** The text, or as much of it as fits into so many columns, with … at its end. */
export function cut(text: string, room: number): string {
  if (columnsOf(text) <= room) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += columnsOf(character);
    if (used > room - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** The text with blanks after it (before it), up to so many columns. */
export function padded(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, width - columnsOf(text)));
  return side === 'left' ? text + blanks : blanks + text;
}

/** Lines of any length in as many as so many columns make necessary; by default as they are. */
export function wrapAll(lines: readonly string[], columns = Number.POSITIVE_INFINITY): string[] {
  return lines.flatMap((line) => wrap(line, columns, 'whole'));
}

/** Columns on a terminal: East Asian characters take two, combining marks none, and those that a terminal would obey six, as \u001b. */
export function columnsOf(text: string): number {
  let count = 0;
  for (const character of text) count += wide.test(character) ? 2 : mark.test(character) ? 0 : obeyed.test(character) ? 6 : 1;
  return count;
}

const wide = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\u3000-\u303f\uff01-\uff60]/u;
const mark = /\p{M}/u;
const obeyed = /[\p{Cc}\p{Bidi_Control}]/u;
