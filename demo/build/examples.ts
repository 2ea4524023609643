/**
 * The example corpora as files beside the page, read from the packages that the command line reads: gzipped JSON lines, fetched only when the
 * person asks for one. They are made once and kept in .cache.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** `every`: of so many documents one is taken, so that the file stays small. */
const examples = { sotu: { every: 1 }, mail: { every: 3 } } as const;
type Example = keyof typeof examples;
const names = Object.keys(examples) as Example[];

const cache = fileURLToPath(new URL('../../.cache/examples', import.meta.url));
/** A new number makes new files. */
const version = 1;

const fileOf = (name: Example) => `examples/${name}.jsonl.gz`;

async function contentOf(name: Example): Promise<Uint8Array> {
  const kept = path.join(cache, `${name}-${version}.jsonl.gz`);
  const before = await readFile(kept).catch(() => undefined);
  if (before) return before;
  const { readCorpus } = await import('../../src/node/corpus.js');
  const { documents } = await readCorpus(name);
  const { every } = examples[name];
  const lines = documents.filter((_, i) => i % every === 0).map((document) => JSON.stringify(document));
  const content = gzipSync(`${lines.join('\n')}\n`, { level: 9 });
  await mkdir(cache, { recursive: true });
  const staging = `${kept}.${process.pid}`;
  await writeFile(staging, content);
  await rename(staging, kept);
  return content;
}

export function exampleCorpora(): Plugin {
  return {
    name: 'example-corpora',
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const name = names.find((one) => request.url?.split('?')[0] === `/${fileOf(one)}`);
        if (!name) return next();
        contentOf(name).then((content) => response.setHeader('content-type', 'application/octet-stream').end(content), next);
      });
    },
    async generateBundle() {
      for (const name of names) this.emitFile({ type: 'asset', fileName: fileOf(name), source: await contentOf(name) });
    },
  };
}
