/** Where files are kept that can be made again. */
import os from 'node:os';
import path from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Folders to try in this order: `$ORTHANT_CACHE` alone where it is set; else `orthant` in the user's cache (`$XDG_CACHE_HOME`,
 * `~/.cache`, on Windows `%LOCALAPPDATA%`), and where there is no writable home `orthant-<uid>` in the temp folder.
 */
export function cacheCandidates(env: Environment = process.env): string[] {
  const { ORTHANT_CACHE: chosen, XDG_CACHE_HOME: xdg, HOME: home, LOCALAPPDATA: local } = env;
  if (chosen) return [path.resolve(chosen)];
  const usual = [
    xdg && path.join(xdg, 'orthant'),
    home && path.join(home, '.cache', 'orthant'),
    local && path.join(local, 'orthant'),
    path.join(os.tmpdir(), `orthant-${process.getuid?.() ?? 'cache'}`),
  ];
  return usual.filter((folder): folder is string => !!folder && path.isAbsolute(folder));
}
