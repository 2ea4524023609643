/** A fit of a tensor as one HTML page: tables and pictures of markup alone, without a script. */
import type { TensorModel } from '../methods/tensor-levels.js';
import type { TensorFlow, TensorTopicMode, TensorTopics, tensorNames } from '../topics/tensor.js';
import { settingsInWords } from './data.js';
import { html, type Markup } from './html.js';
import { percent, tensorErrorRows } from './numbers.js';
import { facts, type PageParts, pageOf } from './page.js';

export interface TensorReport {
  title: string;
  method: string;
  /** The method in a line. */
  summary: string;
  rank: number;
  /** The topics of each level; none without levels. */
  ranks: readonly number[];
  topics: TensorTopics;
  names: ReturnType<typeof tensorNames>;
  model: Pick<TensorModel, 'history' | 'restartErrors' | 'restart'>;
  facts: [string, string][];
  settings: object;
  origin: [string, string][];
  /** The line that repeats it in a POSIX shell. */
  command: string;
  notes: readonly string[];
}

/** The page. Every text is shown as text, whatever markup is in it. */
export function tensorReportPage(report: TensorReport, { style, plotStyle }: PageParts): string {
  const { title, method, summary, rank, ranks, topics, names, notes, command, settings, origin } = report;
  const { levels, flows } = topics;
  const last = levels.map((_, l) => levels.length - 1 - l);
  const between = [...flows].sort((a, b) => b.of - a.of || a.mode - b.mode);
  const content = html`<main>
<header>
<p class="kicker">orthant report</p>
<h1>${title}</h1>
<p class="lede">${names.shape.replaceAll('×', ' × ')}, ${counted(rank, 'outer product')}${ranks.length > 0 ? `, topics of each level ${ranks.join(', ')}` : ''}. Method ${method}: ${summary}.</p>
</header>
${notes.map((note) => html`<p class="note">${note}</p>`)}
${errorSection(report)}
${last.map((l) => levelSection(levels[l], l, names))}
${
  between.length === 0
    ? []
    : html`<section aria-labelledby="flows-title"><h2 id="flows-title">From level to level</h2>
<p class="hint">Each row has the parts of one topic, by the sums of its entries in that mode; an outer product is parted among the topics of level 1 that are in it.</p>
<div class="tables">${between.map((flow) => flowTable(flow, names))}</div></section>`
}
<section aria-labelledby="origin-title">
<h2 id="origin-title">How it was made</h2>
<p class="hint" id="command-hint">This line repeats it, in a POSIX shell and in the folder where it was first run:</p><pre id="command" tabindex="0" aria-labelledby="command-hint">${command}</pre>
<div class="tables">${facts('The fit', report.facts)}${facts('Settings', settingsInWords(settings))}${facts('Origin', origin)}</div>
</section>
</main>`;
  return pageOf(title, content, { style, plotStyle });
}

function errorSection({ topics: { levels }, model }: TensorReport): Markup {
  const most = Math.max(...levels.map(({ relativeError }) => relativeError), 1e-30);
  const headings = ['level', 'rank', 'relative error', 'Tucker error', 'mode bound', 'error ÷ Tucker'];
  const rows = tensorErrorRows(levels);
  return html`<section aria-labelledby="errors-title">
<h2 id="errors-title">Errors</h2>
<p class="hint">‖X − X̂‖ / ‖X‖ of each level. No tensor whose modes have that rank is below the mode bound. The Tucker error is that of a decomposition free in sign, and in practice the limit.</p>
<div class="charts">
<div class="scroll"><table><thead><tr>${headings.map((name) => html`<th scope="col" class="number">${name}</th>`)}<th scope="col">error, and its bounds as marks</th></tr></thead>
<tbody>${rows.map((row, l) => html`<tr>${row.map((cell) => html`<td class="number">${cell}</td>`)}<td>${boundBar(levels[l], most)}</td></tr>`)}</tbody></table></div>
${courses(model.history)}
</div></section>`;
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

const barWidth = 180;

/** A bar of the error, with a line at each bound. */
function boundBar({ relativeError, modeBound, tuckerError }: TensorTopics['levels'][number], most: number): Markup {
  const at = (x: number) => (((barWidth - 2) * x) / most).toFixed(1);
  const mark = (x: number | null, dash: string) =>
    x === null
      ? []
      : [html`<line x1="${at(x)}" x2="${at(x)}" y1="0" y2="14" stroke="currentColor" stroke-width="1.5" stroke-dasharray="${dash}"/>`];
  const label = [
    ['error', relativeError],
    ['Tucker error', tuckerError],
    ['mode bound', modeBound],
  ]
    .filter(([, x]) => x !== null)
    .map(([name, x]) => `${name} ${(x as number).toFixed(5)}`)
    .join(', ');
  return html`<svg width="${barWidth}" height="14" role="img" aria-label="${label}"><rect width="${at(relativeError)}" y="2" height="10" fill="currentColor" opacity="0.35"/>${mark(tuckerError, 'none')}${mark(modeBound, '2 2')}</svg>`;
}

/** The errors of every stage over its iterations, as lines of one picture each. */
function courses(history: TensorReport['model']['history']): Markup[] {
  const stages = [...new Set(history.map(({ stage }) => stage))];
  return stages.map((stage) => {
    const points = history.filter((one) => one.stage === stage && Number.isFinite(one.relativeError));
    if (points.length < 2) return html``;
    const [width, height] = [320, 110];
    const first = points[0].iteration;
    const last = points[points.length - 1].iteration;
    const [low, high] = [Math.min(...points.map((p) => p.relativeError)), Math.max(...points.map((p) => p.relativeError))];
    const x = (iteration: number) => (width * (iteration - first)) / Math.max(last - first, 1);
    const y = (error: number) => 4 + (height - 8) * (high > low ? (high - error) / (high - low) : 0.5);
    const line = points.map((p) => `${x(p.iteration).toFixed(1)},${y(p.relativeError).toFixed(1)}`).join(' ');
    return html`<figure><figcaption>The course of the stage “${stage}”: the root of what it makes small, relative to what it fits, from ${high.toFixed(5)} to ${low.toFixed(5)} in ${last} iterations</figcaption>
<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="error by iteration"><polyline points="${line}" fill="none" stroke="currentColor" stroke-width="1.5"/></svg></figure>`;
  });
}

function levelSection({ topics, joined }: TensorTopics['levels'][number], l: number, names: TensorReport['names']): Markup {
  const title = l === 0 ? `Level 0: ${counted(topics.length, 'outer product')}` : `Level ${l}: ${counted(topics.length, 'topic')}`;
  const hint =
    l === 0
      ? 'Shares are parts of the level, and of the sum of a column.'
      : `Every mode has its own topics; ${percent(joined)} of the level joins those of the same number in all modes.`;
  return html`<section aria-labelledby="level-${l}"><h2 id="level-${l}">${title}</h2>
<p class="hint">${hint}</p>
${topics.map(
  ({ index, modes }) =>
    html`<h3>${l === 0 ? 'Outer product' : 'Topic'} ${index}</h3><div class="tables">${modes.map((mode) => modeTable(mode, names))}</div>`,
)}</section>`;
}

function modeTable({ mode, share, entries }: TensorTopicMode, names: TensorReport['names']): Markup {
  const most = entries[0]?.share ?? 1;
  const bar = (x: number) =>
    html`<svg width="90" height="10" aria-hidden="true"><rect width="${((90 * x) / most).toFixed(1)}" height="10" fill="currentColor" opacity="0.35"/></svg>`;
  const rows = entries.map(
    (entry) =>
      html`<tr><th scope="row" class="term">${names.entry(mode, entry.index)}</th><td>${bar(entry.share)}</td><td class="number">${percent(entry.share)}</td></tr>`,
  );
  return html`<div class="scroll"><table><caption>${names.mode(mode)}, ${percent(share)}</caption><tbody>${rows}</tbody></table></div>`;
}

function flowTable({ of, from, mode, shares }: TensorFlow, names: TensorReport['names']): Markup {
  const cell = (x: number) => html`<td class="number heat-${Math.round(9 * x)}">${x >= 0.005 ? (100 * x).toFixed(0) : '·'}</td>`;
  const what = of === 0 ? 'outer product' : `level ${of}`;
  return html`<div class="scroll"><table class="confusion"><caption>${names.mode(mode)}: ${what} by level ${from}, in percent</caption>
<thead><tr><th scope="col">${what} ↓ level ${from} →</th>${shares[0].map((_, i) => html`<th scope="col" class="number">${i}</th>`)}</tr></thead>
<tbody>${shares.map((row, j) => html`<tr><th scope="row">${j}</th>${row.map(cell)}</tr>`)}</tbody></table></div>`;
}
