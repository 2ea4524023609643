/** Refusals of the library in terms of this room: options by the titles of their fields. */
import { titleOf } from './option-field.js';

const title = (option: string) => `“${titleOf(option)}”`;

/** `options` are the names of all fields that the room has. */
export function inFields(sentence: string, options: readonly string[]): string {
  const table = sentence
    .replaceAll(/\b(?:say )?(header|names): (true|false)\b/g, (_, option, on) => `set ${title(option)} to ${on === 'true' ? 'yes' : 'no'}`)
    .replaceAll(/\bgive (decimal|encoding) '/g, (_, option) => `set ${title(option)} to '`)
    .replace('list it in missing if', `list it in ${title('missing')} if`)
    .replace('give the delimiter if need be', `set ${title('delimiter')} if need be`)
    .replace('give its encoding', `set ${title('encoding')}`)
    .replace('; columns and skipColumns choose none', `; ${title('columns')} and ${title('skipColumns')} choose none`);
  // A word of two, such as maxIterations or l1A, is no word of a sentence.
  return table.replaceAll(/\b[a-z]+\d*[A-Z]\w*\b/g, (word) => (options.includes(word) ? title(word) : word));
}
