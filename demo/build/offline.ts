import { createHash } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';

/** Examples are large and fetched only when asked for, so they are kept when they have been. */
const notAhead = /^examples\//;

/**
 * The service worker of the built page. It is `demo/offline/service-worker.ts` with the list of the page's files, each with a hash of its
 * content in its name or beside it, so that the page opens without a network and a new version replaces the old one.
 */
export function offline(): Plugin {
  return {
    name: 'offline',
    apply: 'build',
    enforce: 'post', // behind vite's own plugin, which makes index.html
    async generateBundle(_, bundle) {
      const files = Object.values(bundle)
        .filter(({ fileName }) => !notAhead.test(fileName))
        .map((file) => ({
          url: file.fileName,
          // Names in assets/ have their hash already.
          revision: file.fileName.startsWith('assets/')
            ? null
            : createHash('sha256')
                .update(file.type === 'chunk' ? file.code : file.source)
                .digest('hex')
                .slice(0, 16),
        }));
      files.push({ url: 'icon.svg', revision: '1' });
      const entry = fileURLToPath(new URL('../offline/service-worker.ts', import.meta.url));
      const made = await build({
        configFile: false,
        root: path.dirname(entry),
        publicDir: false,
        logLevel: 'error',
        define: { 'self.__FILES': JSON.stringify(files), 'process.env.NODE_ENV': '"production"' },
        build: { write: false, target: 'es2022', lib: { entry, formats: ['es'], fileName: 'service-worker' } },
      });
      const [{ output }] = made as unknown as [{ output: { code: string }[] }];
      this.emitFile({ type: 'asset', fileName: 'service-worker.js', source: output[0].code });
    },
  };
}
