/** The worker: all that computes, so that the page stays free to draw and to listen. Rooms load their part when they need it. */
import { expose, type ProxyMarked } from 'comlink';
import { openDevice } from './device.js';
import { pause, resume, stop } from './fits.js';

/** The functions of a module that is loaded by the first call of one. */
function lazily<T extends object>(load: () => Promise<T>): T & ProxyMarked {
  const call =
    (name: keyof T) =>
    async (...given: unknown[]) =>
      ((await load())[name] as (...given: unknown[]) => unknown)(...given);
  return new Proxy({}, { get: (_, name) => call(name as keyof T) }) as T & ProxyMarked;
}

const work = {
  openDevice,
  pause,
  resume,
  stop,
  paper: lazily(() => import('./paper.js')),
  matrix: lazily(() => import('./matrix.js')),
  matrixSurvey: lazily(() => import('./matrix-survey.js')),
  matrixFiles: lazily(() => import('./matrix-export.js')),
  topics: lazily(() => import('./topics.js')),
};

export type Work = typeof work;

expose(work);
