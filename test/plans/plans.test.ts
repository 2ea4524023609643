import { expect, test } from 'vitest';
import { digestLines, planTexts } from './main.js';

/**
 * A change that means to leave alone what runs leaves these digests alone. Where one differs, `npm run plans -- FOLDER` before and after
 * the change, then `diff -r` of the two folders, shows every line; a change that means it updates the file with `npx vitest run test/plans -u`.
 */
test('programs and dispatches are what they were', async () => {
  const { texts } = await planTexts({ small: true });
  await expect(digestLines(texts)).toMatchFileSnapshot('./digests.txt');
});
