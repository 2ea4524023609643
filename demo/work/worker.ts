/** The worker: all that computes, so that the page stays free to draw and to listen. Rooms load their part when they need it. */
import { expose } from 'comlink';
import { openDevice } from './device.js';
import { pause, resume, stop } from './fits.js';

type Paper = typeof import('./paper.js');
const paper = () => import('./paper.js');

const work = {
  openDevice,
  pause,
  resume,
  stop,
  fitPaper: async (...given: Parameters<Paper['fitPaper']>) => (await paper()).fitPaper(...given),
};

export type Work = typeof work;

expose(work);
