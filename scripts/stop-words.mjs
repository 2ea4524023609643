// Makes src/text/stop-words.generated.ts of the npm package stopwords-iso: words by language, lower case, of letters only, since no other
// text becomes a word (src/text/words.ts). The file is kept in the repository: it changes with the package alone. Run by hand:
// `node scripts/stop-words.mjs`.
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const target = fileURLToPath(new URL('../src/text/stop-words.generated.ts', import.meta.url));

/** The text of the file. */
export function stopWordsModule() {
  const lists = createRequire(import.meta.url)('stopwords-iso');
  const lines = Object.entries(lists)
    .filter(([language]) => language !== 'en') // englishStopWords of src/text/english.ts
    .map(([language, words]) => {
      const known = words.map((word) => word.normalize('NFKC').toLocaleLowerCase(language).replaceAll('’', "'"));
      const kept = [...new Set(known)].filter((word) => /^[\p{L}\p{M}]+(?:'[\p{L}\p{M}]+)*$/u.test(word)).sort();
      return `  ${language}: ${JSON.stringify(kept.join(' '))},\n`;
    });
  return `// Made by scripts/stop-words.mjs of stopwords-iso 1.1.0 (MIT licence, by Gene Diaz). Do not edit.
/** Stop words by language (ISO 639-1), separated by blanks. */
export const lists: Readonly<Record<string, string>> = {
${lines.join('')}};
`;
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await writeFile(target, stopWordsModule());
  console.log(target);
}
