/** Texts in columns of a terminal. */

/** Breaks at spaces; a word that is too long for a line is cut. */
export function wrap(text: string, width: number): string[] {
  const room = Math.max(width, 20);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || columnsOf(longer) <= room) {
      line = longer;
      continue;
    }
    lines.push(cut(line, room));
    line = word;
  }
  return [...lines, cut(line, room)];
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

/** Columns on a terminal: East Asian characters take two, combining marks none. */
export function columnsOf(text: string): number {
  let count = 0;
  for (const character of text) count += wide.test(character) ? 2 : mark.test(character) ? 0 : 1;
  return count;
}

const wide = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\u3000-\u303f\uff01-\uff60]/u;
const mark = /\p{M}/u;
