import { expect, test } from 'vitest';
import { sentencesOf, typicalSentence } from '../../src/topics/sentences.js';

const termsOf = (text: string) => text.toLowerCase().match(/[a-z]+/g) ?? [];
const phi = new Map([
  ['tax', 0.5],
  ['budget', 0.3],
  ['debt', 0.1],
]);

test('the sentence whose different words carry most', () => {
  const text = 'The tax, tax, tax is low. A budget and a debt and a tax.\n\nThe budget is here.';
  expect(typicalSentence(text, phi, { termsOf })).toBe('A budget and a debt and a tax.');
  expect(typicalSentence('Nothing of it.', phi, { termsOf })).toBeUndefined();
  expect(typicalSentence('', phi, { termsOf })).toBeUndefined();
});

test('a list of everything does not win by its length', () => {
  const long = `A tax and a budget and a debt and ${'one more thing and '.repeat(40)}that.`;
  expect(typicalSentence(`${long} The tax was high.`, phi, { termsOf })).toBe('The tax was high.');
});

test('sentences end with blank lines, and have single blanks', () => {
  expect(sentencesOf('One\n line. Two!\n\nThree without end\n\n  \nFour?')).toEqual(['One line.', 'Two!', 'Three without end', 'Four?']);
  expect(sentencesOf('一つ目。二つ目。', 'ja')).toEqual(['一つ目。', '二つ目。']);
  const endless = 'word '.repeat(5000);
  expect(sentencesOf(endless).join(' ')).toBe(endless.trim());
  expect(sentencesOf('x'.repeat(12_000)).join('')).toHaveLength(12_000);
});
