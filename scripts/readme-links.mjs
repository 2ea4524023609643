// `absolute` turns the README's links to files into addresses of the same files in the published package, for its page at npm, which has
// nothing to resolve them against; `relative` turns them back. npm runs the one before it packs and the other behind it.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('..', import.meta.url));

const { version, repository: home } = JSON.parse(await readFile(path.join(repository, 'package.json'), 'utf8'));

/** Where the files of a version lie once it is published, and where those lie that only the repository has: pages for its builders. */
const published = `https://unpkg.com/orthant@${version}/`;
const kept = `${home.url.replace(/^git\+|\.git$/g, '')}/blob/v${version}/`;
const isKept = /^(CONTRIBUTING\.md|docs\/(architecture|performance|regimes|defaults|decisions)\b|bench\/)/;

function absolute(markdown) {
  return markdown.replace(/\]\((?!\w+:|#)([^)]*)/g, (_, file) => `](${isKept.test(file) ? kept : published}${file}`);
}

function relative(markdown) {
  return markdown.replaceAll(`](${published}`, '](').replaceAll(`](${kept}`, '](');
}

const readme = path.join(repository, 'README.md');
const turn = { absolute, relative }[process.argv[2]];
await writeFile(readme, turn(await readFile(readme, 'utf8')));
