/** What holds for every file format of matrices. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { formats } from '../../src/formats/formats.js';
import { formatContract } from '../support/format-contract.js';

formatContract(formats);

test('the README names every format', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const readable = /`<matrix>` is .*?\.(?= [A-Z])/.exec(readme)?.[0];
  const written = /`transform` writes .*?\.(?= `|\n)/.exec(readme)?.[0];
  for (const { extensions, write } of formats) {
    expect(readable).toContain(extensions[0]);
    if (write) expect(written).toContain(extensions[0]);
  }
});
