/** Charts by Observable Plot, drawn again when their places change. */
import { dot, lineY, type Markish, type PlotOptions, plot, pointer, ruleX, text, tickY, tip } from '@observablehq/plot';
import type { ReportData, ReportSurvey } from '../types.js';
import { byId, element } from './dom.js';

/** The ten colours of categories, which the style has, too. */
const colours = ['#4269d0', '#efb118', '#ff725c', '#3ca951', '#a463f2', '#6cc5b0', '#ff8ab7', '#97bbf5', '#9c6b4e', '#9498a0'];

const [ours, theirs] = ['var(--accent)', 'var(--muted)'];

export function drawCharts(data: ReportData): void {
  draw('errors', () => errors(data));
  draw('history', () => course(data));
  draw('restarts', () => restarts(data));
  data.surveys.forEach((survey, i) => {
    draw(`survey-${i}`, () => ofRanks(survey));
  });
}

/** What a place has on paper where two stand beside each other on A4, in the margins of print.css. */
const onPaper = { width: 332, height: 210 };

/**
 * Draws into an element, as wide as it is. On paper it is narrower than in most windows, and the letters of a picture that is scaled down to it
 * are too small to read: it is drawn anew for paper, and after that for the window again.
 */
function draw(id: string, options: () => PlotOptions & { marks: Markish[] }): void {
  const place = byId(id);
  if (!place) return;
  let drawn = 0;
  const fill = (width: number, height: number) => {
    if (width === drawn || width === 0) return;
    drawn = width;
    const picture = plot({
      width,
      height,
      marginLeft: 56,
      marginTop: 28,
      marginBottom: 44,
      inset: 8,
      style: { background: 'transparent', fontSize: '12px' },
      ...options(),
    });
    picture.setAttribute('role', 'img');
    place.replaceChildren(picture);
  };
  const fillWindow = () => fill(place.clientWidth, 260);
  new ResizeObserver(fillWindow).observe(place);
  addEventListener('beforeprint', () => fill(onPaper.width, onPaper.height));
  addEventListener('afterprint', fillWindow);
  fillWindow();
}

const layerName = (l: number, rank: number) => `${l} (${rank})`;

/** The axis of errors. Where they differ by rounding alone it shows a thousandth around them, and not the rounding. */
function errorAxis(values: readonly number[]): PlotOptions['y'] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const narrow = high > 0 && high - low < 1e-3 * high;
  return { label: 'relative error', grid: true, nice: true, ...(narrow ? { domain: [low - 5e-4 * high, high + 5e-4 * high] } : {}) };
}

function errors({ layers }: ReportData): PlotOptions & { marks: Markish[] } {
  const rows = layers.map(({ rank, relativeError, svdBound }, l) => ({ name: layerName(l, rank), relativeError, svdBound }));
  const bounded = rows.filter(({ svdBound }) => svdBound !== null);
  return {
    ariaLabel: 'Relative error and SVD bound of each layer',
    x: { type: 'band', label: 'layer (rank)', domain: rows.map(({ name }) => name), padding: 0.6 },
    y: errorAxis([...rows.map(({ relativeError }) => relativeError), ...bounded.map(({ svdBound }) => svdBound!)]),
    insetBottom: 24, // the word below a bound stands above the axis
    marks: [
      tickY(bounded, { x: 'name', y: 'svdBound', stroke: theirs, strokeWidth: 3 }),
      dot(rows, { x: 'name', y: 'relativeError', fill: ours, r: 5 }),
      text(bounded, { x: 'name', y: 'svdBound', text: () => 'bound', dy: 12, fill: theirs }),
    ],
  };
}

function course({ history }: ReportData): PlotOptions & { marks: Markish[] } {
  let [before, last, stage] = [0, 0, history[0]?.stage];
  const points = history.map((point) => {
    if (point.stage !== stage) [before, stage] = [before + last, point.stage];
    last = point.iteration;
    return { stage: point.stage, at: before + point.iteration, error: point.relativeError };
  });
  const shown = points.filter(({ error }) => error > 0);
  const values = shown.map(({ error }) => error);
  const far = Math.max(...values) > 10 * Math.min(...values);
  const starts = points.filter((point, i) => i > 0 && point.stage !== points[i - 1].stage);
  const stages = [...new Set(points.map((point) => point.stage))];
  const keys = stages.map((name, i) => element('li', '', element('i', `hue-${i % 10}`), name));
  byId('stages')?.replaceChildren(...(stages.length > 1 ? keys : []));
  return {
    ariaLabel: 'Relative error by iteration',
    x: { label: 'iterations' },
    y: { ...errorAxis(values), type: far ? 'log' : 'linear' },
    color: { type: 'ordinal', domain: stages, range: colours },
    marks: [
      ruleX(starts, { x: 'at', stroke: theirs, strokeOpacity: 0.4 }),
      lineY(shown, { x: 'at', y: 'error', z: 'stage', stroke: 'stage', strokeWidth: 2 }),
      dot(shown.length < 40 ? shown : [], { x: 'at', y: 'error', fill: 'stage', r: 2.5 }),
      tip(shown, pointer({ x: 'at', y: 'error', title: (point) => `${point.stage}\n${point.error}`, fill: 'var(--surface)' })),
    ],
  };
}

function restarts({ restarts: { errors: found, kept } }: ReportData): PlotOptions & { marks: Markish[] } {
  const rows = found.flatMap((error, r) => (error === null ? [] : [{ restart: r + 1, error, kept: r === kept }]));
  const every = Math.ceil(rows.length / 12);
  const ticks = rows.map(({ restart }) => restart).filter((_, i) => i % every === 0);
  return {
    ariaLabel: 'Relative error of each restart',
    x: { type: 'point', label: 'restart', domain: rows.map(({ restart }) => restart), ticks, padding: 0.5 },
    y: errorAxis(rows.map(({ error }) => error)),
    marks: [
      dot(rows, { x: 'restart', y: 'error', stroke: ours, fill: (row) => (row.kept ? ours : 'var(--surface)'), r: 5 }),
      text(
        rows.filter((row) => row.kept),
        { x: 'restart', y: 'error', text: () => 'kept', dy: -14 },
      ),
    ],
  };
}

function ofRanks({ ranks, chosen }: ReportSurvey): PlotOptions & { marks: Markish[] } {
  const seen = ranks.flatMap(({ rank, heldOut, standardError }) => (heldOut === null ? [] : [{ rank, heldOut, by: standardError ?? 0 }]));
  const least = ranks.filter(({ rank }) => rank === chosen);
  return {
    ariaLabel: 'Errors by rank',
    x: { type: 'point', label: 'rank', domain: ranks.map(({ rank }) => rank), padding: 0.5 },
    y: { label: 'relative error', grid: true, nice: true, zero: true },
    marks: [
      ruleX(least, { x: 'rank', stroke: theirs, strokeDasharray: '4 3' }),
      lineY(ranks, { x: 'rank', y: 'relativeError', stroke: theirs }),
      dot(ranks, { x: 'rank', y: 'relativeError', stroke: theirs, fill: 'var(--surface)', r: 4 }),
      lineY(seen, { x: 'rank', y: 'heldOut', stroke: ours }),
      ruleX(seen, {
        x: 'rank',
        y1: ({ heldOut, by }) => heldOut - by,
        y2: ({ heldOut, by }) => heldOut + by,
        stroke: ours,
        strokeWidth: 2,
      }),
      dot(seen, { x: 'rank', y: 'heldOut', fill: ours, r: 4 }),
    ],
  };
}
