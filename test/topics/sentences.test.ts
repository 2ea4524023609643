import { expect, test } from 'vitest';
import { readSentences, sentencesOf, typicalSentence } from '../../src/topics/sentences.js';

const termsOf = (texts: readonly string[]) => texts.map((text) => text.toLowerCase().match(/[a-z]+/g) ?? []);
const typical = (text: string) => typicalSentence(readSentences(text, { termsOf }), phi);
const phi = new Map([
  ['tax', 0.5],
  ['budget', 0.3],
  ['debt', 0.1],
]);

test('the sentence whose different words carry most', () => {
  const text = 'The tax, tax, tax is low. A budget and a debt and a tax.\n\nThe budget is here.';
  expect(typical(text)).toBe('A budget and a debt and a tax.');
  expect(typical('Nothing of it.')).toBeUndefined();
  expect(typical('')).toBeUndefined();
});

test('a list of everything does not win by its length', () => {
  const long = `A tax and a budget and a debt and ${'one more thing and '.repeat(40)}that.`;
  expect(typical(`${long} The tax was high.`)).toBe('The tax was high.');
});

test('sentences end with blank lines, and have single blanks', () => {
  expect(sentencesOf('One\n line. Two!\n\nThree without end\n\n  \nFour?')).toEqual(['One line.', 'Two!', 'Three without end', 'Four?']);
  expect(sentencesOf('一つ目。二つ目。', 'ja')).toEqual(['一つ目。', '二つ目。']);
  const endless = 'word '.repeat(5000);
  expect(sentencesOf(endless).join(' ')).toBe(endless.trim());
  expect(sentencesOf('x'.repeat(12_000)).join('')).toHaveLength(12_000);
});
