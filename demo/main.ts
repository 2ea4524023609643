/** The page: reads the controls, talks to the worker, and draws its reports. */
import { type Matrix, svdBounds, tableOne } from '../src/index.js';
import { drawChart, type Line, type Point } from './chart.js';
import { drawHeatMap } from './heat-map.js';
import type { Depth, FromWorker, Start, ToWorker } from './messages.js';
import { viridisGradient } from './viridis.js';

type State = 'loading' | 'ready' | 'running' | 'stopping' | 'stopped' | 'finished' | 'failed';

const ranks = [9, 4, 2] as const;
/** The largest entry the data can have: 4, and noise below 0.15. */
const high = 4.15;
/** How near to its bound an error can be told to be, in f32. */
const smallestExcess = 1e-6;

const seed = find('#seed', HTMLInputElement);
const restarts = find('#restarts', HTMLInputElement);
const from = find('#from', HTMLSelectElement);
const axis = find('#axis', HTMLSelectElement);
const controls = find('#controls', HTMLFormElement);
const startButton = find('#start', HTMLButtonElement);
const stopButton = find('#stop', HTMLButtonElement);

/** The place and the content of one depth of the hierarchy. */
const depths = ranks.map((rank) => {
  const figure = find(`[data-rank="${rank}"]`, HTMLElement);
  return {
    rank,
    colour: `depth-${rank}`,
    canvas: find('canvas', HTMLCanvasElement, figure),
    errorText: find('output', HTMLOutputElement, figure),
    boundText: find('.bound', HTMLElement, figure),
    bound: 1,
    points: [] as Point[],
    reconstruction: undefined as Matrix | undefined,
  };
});

let data = tableOne(0);
let state: State = 'loading';
let worker: Worker | undefined;
let jointFrom: number | undefined;
let checks: { iteration: number; elapsedMs: number }[] = [];
let drawingQueued = false;

function find<E extends HTMLElement>(selector: string, type: abstract new () => E, within: ParentNode = document): E {
  const found = within.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`The page has no ${selector}.`);
  return found;
}

function say(id: string, text: string): void {
  find(`#${id}`, HTMLElement).textContent = text;
}

function enter(next: State, text: string): void {
  state = next;
  document.body.dataset.state = next;
  say('state', text);
  const running = next === 'running' || next === 'stopping';
  startButton.disabled = running || worker === undefined || next === 'loading';
  stopButton.disabled = next !== 'running';
  for (const control of [seed, restarts, from]) control.disabled = running;
}

function complain(text: string): void {
  const message = find('#message', HTMLElement);
  message.textContent = text;
  message.hidden = text === '';
}

/** Draws once before the next frame, however many messages arrive until then. */
function redraw(): void {
  if (drawingQueued) return;
  drawingQueued = true;
  requestAnimationFrame(() => {
    drawingQueued = false;
    const { rows, cols } = data.X;
    drawHeatMap(find('#data', HTMLCanvasElement), { rows, cols, entries: data.X, high, groups: data.labels[9] });
    for (const { canvas, reconstruction, rank } of depths)
      drawHeatMap(canvas, { rows, cols, entries: reconstruction, high, groups: data.labels[rank] });
    const overBound = axis.value === 'excess';
    find('#bound-key', HTMLElement).hidden = overBound;
    drawChart(find('#chart', HTMLCanvasElement), overBound ? depths.map(excess) : depths, jointFrom);
  });
}

/** By how much the errors exceed their bound, as a fraction of it. */
function excess({ colour, points, bound }: { colour: string; points: Point[]; bound: number }): Line {
  return {
    colour,
    points: points.map(({ iteration, error }) => ({ iteration, error: Math.max(error / bound - 1, smallestExcess) })),
  };
}

/** The data of the seed, its bounds, and nothing learned yet. */
function reset(): void {
  if (!controls.checkValidity()) return;
  data = tableOne(seed.valueAsNumber);
  const bounds = svdBounds(data.X, ranks).values;
  depths.forEach((depth, l) => {
    depth.points = [];
    depth.bound = bounds[l];
    depth.reconstruction = undefined;
    depth.errorText.textContent = '–';
    depth.boundText.textContent = bounds[l].toFixed(4);
  });
  jointFrom = undefined;
  checks = [];
  for (const id of ['iteration', 'elapsed', 'speed']) say(id, '–');
  redraw();
}

function start(): void {
  reset();
  complain('');
  enter('running', 'Preparing …');
  post({
    kind: 'start',
    X: data.X,
    ranks: [...ranks],
    seed: seed.valueAsNumber,
    restarts: restarts.valueAsNumber,
    start: from.value as Start['start'],
  });
}

function stop(): void {
  enter('stopping', 'Stopping …');
  post({ kind: 'stop' });
}

function post(message: ToWorker): void {
  worker?.postMessage(message);
}

function hear(message: FromWorker): void {
  switch (message.kind) {
    case 'ready':
      say('adapter', message.software ? `${message.adapter}: it computes on the CPU, so its speed is not that of a GPU` : message.adapter);
      if (state === 'loading') enter('ready', 'Ready');
      break;
    case 'progress': {
      const { stage, joint, iteration, elapsedMs } = message;
      if (joint) jointFrom ??= checks.at(-1)?.iteration ?? 0;
      checks.push({ iteration, elapsedMs });
      count(iteration, elapsedMs);
      const learning = joint ? 'all layers together' : stage;
      if (state === 'running') say('state', `Learning ${learning}`);
      redraw();
      break;
    }
    case 'drawing':
      show(message.depths, message.iteration);
      break;
    case 'done': {
      const { stopReason, iteration, elapsedMs } = message;
      show(message.depths, iteration);
      checks.push({ iteration, elapsedMs });
      count(iteration, elapsedMs);
      if (stopReason === 'stopped') enter('stopped', 'Stopped; the factors reached so far are kept');
      else enter('finished', stopReason === 'maxIterations' ? 'Finished at the most iterations' : 'Finished: the error has settled');
      break;
    }
    case 'failed':
      complain(message.message);
      enter('failed', 'Not running');
      break;
  }
}

function count(iteration: number, elapsedMs: number): void {
  say('iteration', String(iteration));
  say('elapsed', `${(elapsedMs / 1000).toFixed(1)} s`);
  // Over the last two seconds: the first ones also compile the kernels.
  const earlier = checks.find((check) => elapsedMs - check.elapsedMs < 2000);
  if (earlier && elapsedMs > earlier.elapsedMs)
    say('speed', `${Math.round(((iteration - earlier.iteration) / (elapsedMs - earlier.elapsedMs)) * 1000)} iterations/s`);
}

function show(shown: Depth[], iteration: number): void {
  shown.forEach(({ relativeError, reconstruction }, l) => {
    depths[l].reconstruction = reconstruction;
    note(depths[l], iteration, relativeError);
  });
  redraw();
}

/** Takes an error down, unless a later one is known: drawings may arrive behind the checks. */
function note({ points, errorText }: (typeof depths)[number], iteration: number, error: number): void {
  if (iteration < (points.at(-1)?.iteration ?? 0)) return;
  points.push({ iteration, error });
  errorText.textContent = error.toFixed(4);
}

function open(): void {
  if (!navigator.gpu) {
    complain(
      'This browser offers no WebGPU (navigator.gpu is missing): open this page over https or on localhost in a recent Chrome, Edge, Safari or Firefox.',
    );
    enter('failed', 'Not running');
    return;
  }
  worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  worker.addEventListener('message', ({ data: message }: MessageEvent<FromWorker>) => hear(message));
  worker.addEventListener('error', ({ message }) =>
    hear({ kind: 'failed', message: `The worker failed: ${message || 'its script could not be loaded'}. Reload the page.` }),
  );
}

find('#gradient', HTMLElement).style.backgroundImage = viridisGradient();
find('#ticks', HTMLElement).append(
  ...[0, 1, 2, 3, 4].map((tick) => {
    const item = document.createElement('li');
    item.textContent = String(tick);
    item.style.left = `${(100 * tick) / high}%`;
    return item;
  }),
);
controls.addEventListener('submit', (event) => {
  event.preventDefault();
  start();
});
stopButton.addEventListener('click', stop);
seed.addEventListener('input', reset);
axis.addEventListener('input', redraw);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
new ResizeObserver(redraw).observe(document.body);

reset();
open();
