// `absolute` turns the README's links to files into addresses of the same files in the published package, for its page at npm, which has
// nothing to resolve them against; `relative` turns them back. npm runs the one before it packs and the other behind it.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('..', import.meta.url));

/** Where the files of a version lie once it is published. */
const published = (version) => `https://unpkg.com/orthant@${version}/`;

function absolute(markdown, version) {
  return markdown.replace(/\]\((?!\w+:|#)/g, `](${published(version)}`);
}

function relative(markdown, version) {
  return markdown.replaceAll(`](${published(version)}`, '](');
}

const { version } = JSON.parse(await readFile(path.join(repository, 'package.json'), 'utf8'));
const readme = path.join(repository, 'README.md');
const turn = { absolute, relative }[process.argv[2]];
await writeFile(readme, turn(await readFile(readme, 'utf8'), version));
