/** A list as people write it: 'a, b and c'. */
export function inWords(words: readonly string[], last: 'and' | 'or' = 'and'): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} ${last} ${words[words.length - 1]}`;
}

/** A text of any length as a message can hold it: its first characters. */
export function shortened(text: string, length = 60): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

/** A text in quotes, as a message can hold it. */
export function quoted(text: string): string {
  return JSON.stringify(shortened(text));
}

/** Where an entry stands, of a matrix or of a tensor. */
export type Place = { row: number; column: number } | { indices: readonly number[] };

/** A place as a message says it. */
export function inPlace(place: Place): string {
  return 'indices' in place ? `at [${place.indices.join(', ')}]` : `in row ${place.row}, column ${place.column}`;
}

/** A value of any type as an error message says it, in few characters however large it is. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'bigint':
      return `${shortened(String(value))}n`;
    case 'function':
      return 'a function';
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? describeList(value) : describeObject(value);
    default:
      return shortened(String(value));
  }
}

/** The entries of a short list, else how many there are. */
function describeList(list: readonly unknown[]): string {
  if (list.length > 12) return `a list of ${list.length}`;
  // Lists in a list are not written out: there may be any number in each other.
  const items = list.map((item) => (Array.isArray(item) ? `a list of ${item.length}` : describe(item)));
  return shortened(`[${items.join(', ')}]`, 200);
}

function describeObject(value: object): string {
  // Of another realm, or without a prototype: whatever calls itself a class is asked for no more than its name.
  const name: unknown = value.constructor?.name;
  const kind = typeof name === 'string' && name !== '' ? shortened(name) : 'object';
  const article = /^[AEIOU]/i.test(kind) ? 'an' : 'a';
  return ArrayBuffer.isView(value) && 'length' in value ? `${article} ${kind} of ${value.length}` : `${article} ${kind}`;
}
