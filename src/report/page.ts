/** A report as one HTML page that needs nothing else: no network, and no script or style but its own. */
import { sha256 } from '../data/sha256.js';
import type { Confusion } from './confusion.js';
import { escapeJson, html, type Markup } from './html.js';
import { errorRows, percent } from './numbers.js';
import type { ReportData, ReportSurvey, ReportTable, ReportTopic } from './types.js';

/** The script and the style of the page, which scripts/bundle-report.mjs makes of `client/`. */
export interface PageParts {
  script: string;
  style: string;
  /** The text of the style element that Observable Plot puts into its pictures. */
  plotStyle: string;
}

/**
 * The page. Its policy lets run the script of `parts` and nothing else, and allows no request. Every text of `data` is shown as text, whatever
 * markup is in it.
 */
export function reportPage(data: ReportData, parts: PageParts): string {
  const scripts = html`<script type="application/json" id="data">${{ markup: escapeJson(data) }}</script>
<script>${{ markup: parts.script }}</script>
`;
  return pageOf(data.title, body(data), { ...parts, scripts });
}

/** A page whose policy lets run `script`, if there is one, and nothing else. `scripts` are its elements. */
export function pageOf(
  title: string,
  content: Markup,
  { script, scripts = html``, style, plotStyle }: Omit<PageParts, 'script'> & { script?: string; scripts?: Markup },
): string {
  const policy = [
    "default-src 'none'",
    `script-src ${script === undefined ? "'none'" : hashOf(script)}`,
    `style-src ${hashOf(style)} ${hashOf(plotStyle)}`,
    'img-src data: blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}: a report of orthant</title>
<link rel="icon" href="data:,">
<style>${{ markup: style }}</style>
</head>
<body>
${content}
${scripts}</body>
</html>
`;
  return page.markup;
}

function hashOf(text: string): string {
  const bytes = sha256(text)
    .match(/../g)!
    .map((pair) => String.fromCharCode(Number.parseInt(pair, 16)));
  return `'sha256-${btoa(bytes.join(''))}'`;
}

function body(data: ReportData): Markup {
  const { title, method, summary, ranks, features, samples, nouns, topics } = data;
  return html`<main>
<header>
<p class="kicker">orthant report</p>
<h1>${title}</h1>
<p class="lede">${features} ${nouns.feature}s × ${samples} ${nouns.sample}s, ${ranks.length === 1 ? 'rank' : 'ranks'} ${ranks.join(', ')}. Method ${method}: ${summary}.</p>
</header>
<noscript><p class="note">The charts and the tree need the script of this page, which is switched off; the tables below do not.</p></noscript>
${data.notes.map((note) => html`<p class="note">${note}</p>`)}
${topics.length > 0 ? treeSection(data) : noTree(data)}
${errorSection(data)}
${data.surveys.map(surveySection)}
${data.confusions.length > 0 ? html`<section aria-labelledby="confusion-title"><h2 id="confusion-title">Classes</h2><div class="tables">${data.confusions.map(confusionTable)}</div></section>` : []}
${data.tables.map(furtherTable)}
<section aria-labelledby="maps-title">
<h2 id="maps-title">Heat maps</h2>
<p class="hint">${data.heatMapOrder} Where a picture has fewer places than the matrix has entries, each shows the mean of a block of neighbours. The data and its reconstructions share one scale; every other picture has its own.</p>
<div id="maps" class="maps"></div>
</section>
<section aria-labelledby="origin-title">
<h2 id="origin-title">How it was made</h2>
${data.command === null ? [] : html`<p class="hint" id="command-hint">This line repeats it, in a POSIX shell and in the folder where it was first run:</p><pre id="command" tabindex="0" aria-labelledby="command-hint">${data.command}</pre>`}
<div class="tables">${facts('The fit', data.facts)}${facts('Settings', data.settings)}${facts('Origin', data.origin)}</div>
</section>
<section aria-labelledby="downloads-title">
<h2 id="downloads-title">Tables to download</h2>
<p class="hint">CSV in UTF-8, numbers with six digits. The factors themselves are written by --out.</p>
<div id="downloads" class="buttons"></div>
</section>
</main>`;
}

function treeSection({ nouns, topics }: ReportData): Markup {
  const { feature, part, sample } = nouns;
  return html`<section aria-labelledby="tree-title">
<h2 id="tree-title">The tree of ${part}s</h2>
<p class="hint" id="tree-hint">Each layer divides the one above it. A ${part} is as large as its part of the ${part} above; what is left blank comes from ${part}s that stand elsewhere. <span class="on-screen">Arrow keys walk; Enter or a second click opens a ${part} to full size; Escape goes back.</span></p>
<p id="path" class="path"></p>
<div id="tree" class="tree" role="tree" aria-labelledby="tree-title" aria-describedby="tree-hint"></div>
<div id="part" class="part" aria-live="polite"></div>
<div class="slider"><label for="lambda">λ</label><input id="lambda" type="range" min="0" max="1" step="0.05" value="1" aria-describedby="lambda-hint"><output id="lambda-value" for="lambda">1.00</output>
<p id="lambda-hint" class="hint">λ = 1 orders ${feature}s by their share φ in the ${part}; λ = 0 by how many times φ is their share p in the data; between, by λ log φ + (1 − λ) log(φ / p).</p></div>
<div id="words"></div>
<details id="outline"><summary>All ${part}s in words</summary>${outline(topics, sample)}</details>
</section>`;
}

function noTree({ nouns }: ReportData): Markup {
  return html`<p class="hint">There is no tree of ${nouns.part}s: entries of this model may be negative, or a function stands between its layers, so that its ${nouns.part}s have no shares.</p>`;
}

function outline(topics: readonly ReportTopic[], sample: string): Markup {
  const items = topics.map(({ share, words, documents, children }) => {
    const heaviest = words.slice(0, 10).map(({ term }) => term);
    const examples =
      children.length > 0 || documents.length === 0
        ? []
        : html`<br><small>${sample}s: ${documents
            .slice(0, 3)
            .map(({ name }) => name)
            .join('; ')}</small>`;
    return html`<li><b>${percent(share)}</b> ${heaviest.join(', ') || '(empty)'}${examples}${children.length > 0 ? outline(children, sample) : []}</li>`;
  });
  return html`<ul>${items}</ul>`;
}

function errorSection({ layers, svdBoundMethod, restarts, confusions }: ReportData): Markup {
  const bound = svdBoundMethod === 'randomised' ? 'SVD bound (estimate)' : 'SVD bound';
  const rows = errorRows(layers);
  const count = restarts.errors.length;
  const broken = restarts.errors.filter((error) => error === null).length;
  return html`<section aria-labelledby="errors-title">
<h2 id="errors-title">Errors</h2>
<p class="hint">‖X − X̂‖ / ‖X‖ of each layer’s reconstruction, beside the smallest that any factorization of its rank can have.</p>
<div class="charts">
<div class="scroll"><table><thead><tr>${['layer', 'rank', 'relative error', bound, 'error ÷ bound'].map((name) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td class="number">${cell}</td>`)}</tr>`)}</tbody></table></div>
<figure><figcaption>Errors and bounds by layer</figcaption><div id="errors" class="chart"></div></figure>
<figure><figcaption>The course of the fit: the root of what each stage makes small, relative to what it fits; best restart</figcaption><ul id="stages" class="key"></ul><div id="history" class="chart"></div></figure>
${count > 1 ? html`<figure><figcaption>${count} restarts, number ${restarts.kept + 1} was kept${confusions.length > 0 ? ': its objective, of which labels are a part, is the smallest' : ''}${broken > 0 ? `; ${broken} broke down and are not shown` : ''}</figcaption><div id="restarts" class="chart"></div></figure>` : []}
</div></section>`;
}

function surveySection({ layer, chosen, reason, ranks }: ReportSurvey, at: number): Markup {
  const shown = (x: number | null, digits: number) => (x === null ? '–' : x.toFixed(digits));
  const heads = ['rank', 'error', 'held-out error', '± standard error', 'cophenetic', 'dispersion', 'stability of A', 'of S'];
  const rows = ranks.map((row) => [
    row.rank === chosen ? `${row.rank}, chosen` : String(row.rank),
    row.relativeError.toFixed(4),
    shown(row.heldOut, 4),
    shown(row.standardError, 4),
    row.cophenetic.toFixed(3),
    row.dispersion.toFixed(3),
    shown(row.stableA, 2),
    shown(row.stableS, 2),
  ]);
  return html`<section aria-labelledby="survey-title-${at}">
<h2 id="survey-title-${at}">The rank of layer ${layer}</h2>
<p class="hint">${reason}</p>
<div class="charts">
<figure><figcaption>Errors by rank: of the fit (open), and at entries that the fits have not seen (filled, ± standard error)</figcaption><div id="survey-${at}" class="chart"></div></figure>
<div class="scroll"><table><thead><tr>${heads.map((name) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td class="number">${cell}</td>`)}</tr>`)}</tbody></table></div>
</div></section>`;
}

/** The heads of columns. In a table of class `upright` print.css turns their names. */
const columnHeads = (names: readonly string[], kind: (c: number) => string) =>
  names.map((name, c) => html`<th scope="col" class="${kind(c)}"><span>${name}</span></th>`);

/** How many letters of a table stand beside each other on A4. */
const lettersOnPaper = 110;

/**
 * Nothing scrolls on paper: of a table that is too wide for it with names that break between words, names of columns stand upright, and of one
 * that is too wide even so letters are small. `columns` are heads and cells, the names of the rows first.
 */
function widthClass(columns: readonly (readonly string[])[]): string {
  const longest = (cells: readonly string[]) =>
    cells.flatMap((cell) => cell.split(/\s+/)).reduce((most, { length }) => Math.max(most, length), 0);
  const letters = (from: number) => columns.reduce((sum, cells, c) => sum + longest(cells.slice(c && from)) + 2, 0);
  if (letters(0) <= lettersOnPaper) return '';
  return letters(1) <= lettersOnPaper ? 'upright' : 'upright small';
}

/** Classes of a table that can still be read. */
const mostClasses = 40;

function confusionTable({ title, rows, columns, counts }: Confusion): Markup {
  const most = counts.flat().reduce((greatest, n) => Math.max(greatest, n), 1);
  const right = rows.reduce((sum, name, r) => sum + (counts[r][columns.indexOf(name)] ?? 0), 0);
  const all = counts.flat().reduce((sum, n) => sum + n, 0);
  if (columns.length > mostClasses)
    return html`<p>${title}: ${right} of ${all} right. The table of ${columns.length} classes is among the downloads.</p>`;
  const cell = (n: number, r: number, c: number) =>
    html`<td class="number heat-${n === 0 ? 0 : Math.max(1, Math.round((9 * n) / most))}${rows[r] === columns[c] ? ' diagonal' : ''}">${n}</td>`;
  const cells = columns.map((name, c) => [name, ...counts.map((row) => String(row[c]))]);
  return html`<div class="scroll"><table class="confusion ${widthClass([rows, ...cells])}"><caption>${title}: ${right} of ${all} right</caption>
<thead><tr><th scope="col">true ↓ predicted →</th>${columnHeads(
    columns.map((name) => name || 'none'),
    () => 'number',
  )}</tr></thead>
<tbody>${rows.map((name, r) => html`<tr><th scope="row">${name}</th>${counts[r].map((n, c) => cell(n, r, c))}</tr>`)}</tbody></table></div>`;
}

function furtherTable({ title, columns, rows }: ReportTable, at: number): Markup {
  const kind = (value: string | number | null) => (typeof value === 'number' ? 'number' : 'text');
  const cells = columns.map((name, c) => [name, ...rows.map((row) => String(row[c]))]);
  const headKind = (c: number) => (rows.some((row) => typeof row[c] === 'number') ? 'number' : 'text');
  return html`<section aria-labelledby="table-${at}"><h2 id="table-${at}">${title}</h2>
<div class="scroll"><table class="${widthClass(cells)}"><thead><tr>${columnHeads(columns, headKind)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((value) => html`<td class="${kind(value)}">${value ?? '–'}</td>`)}</tr>`)}</tbody></table></div></section>`;
}

export function facts(title: string, pairs: readonly [string, string][]): Markup {
  if (pairs.length === 0) return html``;
  return html`<div class="facts"><h3>${title}</h3><dl>${pairs.map(([name, text]) => html`<div><dt>${name}</dt><dd>${text}</dd></div>`)}</dl></div>`;
}
