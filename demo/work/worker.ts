/** The worker: all that computes, so that the page stays free to draw and to listen. Rooms load their part when they need it. */
import { expose } from 'comlink';
import { openDevice } from './device.js';
import { pause, resume, stop } from './fits.js';
import { lazily } from './lazily.js';

type Paper = typeof import('./paper.js');
const paper = () => import('./paper.js');

const work = {
  openDevice,
  pause,
  resume,
  stop,
  fitPaper: async (...given: Parameters<Paper['fitPaper']>) => (await paper()).fitPaper(...given),
  matrix: lazily(() => import('./matrix.js'), ['methods', 'read', 'fit', 'show', 'part']),
  matrixSurvey: lazily(() => import('./matrix-survey.js'), ['survey']),
  matrixFiles: lazily(() => import('./matrix-export.js'), ['modelExport', 'factorsExport', 'matrixExport', 'modelImport']),
};

export type Work = typeof work;

expose(work);
