/** The tables of docs/scale.md, between its marks, and its plots. */
import { readFile } from 'node:fs/promises';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { writeWhole } from '../results-file.js';
import { allReduceSeconds, type Host, hostOf, iterationOn, iterationSeconds, type Network, networks, type Problem } from './model.js';
import type { IterationRow, Results } from './results.js';

const page = 'docs/scale.md';
const profile = 'h100-sxm';
const small: Problem = { N: 500, layers: [20, 6], restarts: 1 };
const large: Problem = { N: 5000, layers: [50, 20, 5], restarts: 1 };
const strongColumns = 2 ** 22;
const weakColumns = 2 ** 16;
const powers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => 2 ** (from + i));

interface Point {
  x: number;
  y: number;
  series: string;
  measured?: boolean;
}

export async function draw(results: Results): Promise<void> {
  const host = hostOf(results);
  const tables = {
    networks: networkTable(host),
    sums: sumTable(results),
    panels: panelTable(results),
    ranks: rankTable(results),
    strong: scalingTable('strong', host),
    weak: scalingTable('weak', host),
    machine: machineText(results),
  };
  let text = await readFile(page, 'utf8');
  for (const [name, own] of Object.entries(tables)) {
    const [from, to] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    if (!text.includes(from) || !text.includes(to)) throw new Error(`${page} has no place ${from} … ${to}.`);
    text = `${text.slice(0, text.indexOf(from) + from.length)}\n${own}\n${text.slice(text.indexOf(to))}`;
  }
  await writeWhole(page, text);
  await writeWhole('docs/scale/sums.svg', sumPlot(results, host));
  await writeWhole('docs/scale/scaling.svg', scalingPlot(results, host));
}

const row = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
const table = (heads: readonly string[], rows: readonly (string | number)[][]) =>
  [row(heads), row(heads.map(() => '---')), ...rows.map(row)].join('\n');

function time(seconds: number): string {
  const [unit, name] = seconds < 1e-3 ? [1e-6, 'µs'] : seconds < 1 ? [1e-3, 'ms'] : [1, 's'];
  return `${Number((seconds / unit).toPrecision(3))} ${name}`;
}

function size(bytes: number): string {
  const power = bytes < 1024 ? 0 : bytes < 2 ** 20 ? 1 : 2;
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${['B', 'KiB', 'MiB'][power]}`;
}

function machineText({ machine, load, date }: Results): string {
  const { cpu, cores, memoryGiB, mpi, network } = machine;
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, a virtual machine; ${mpi.replace('mpirun (Open MPI)', 'Open MPI')}. Network: ${network}. From 3 ranks on, ranks share cores. Others used the machine: its load was ${load.sums} when the all-reduces were measured, ${load.panels} for the panels, and ${load.ranks} for the ranks (${date}).`;
}

function networkTable(host: Host): string {
  const rows = networks.map(({ name, latency, message, bandwidth, sources }) => [
    name,
    `${time(latency)}: ${sources.latency}`,
    `${time(message)}: ${sources.message}`,
    `${bandwidth / 1e9} GB/s: ${sources.bandwidth}`,
  ]);
  const own = `A rank's own process adds ${time(host.call)} to a message that it waits for, and ${Number((host.byte * 1e9).toPrecision(2))} ns to a byte; both follow from two ranks here.`;
  return `${table(['network', 'latency', 'a message after another', 'bandwidth'], rows)}\n\n${own}`;
}

function sumTable({ sums }: Results): string {
  const sizes = [...new Set(sums.map(({ bytes }) => bytes))];
  const of = (ranks: number, bytes: number) => {
    const { medianMs, leastMs } = sums.find((one) => one.ranks === ranks && one.bytes === bytes)!;
    return `${time(medianMs / 1000)} (${time(leastMs / 1000)})`;
  };
  return table(
    ['bytes', '2 ranks', '3 ranks', '4 ranks'],
    sizes.map((bytes) => [size(bytes), of(2, bytes), of(3, bytes), of(4, bytes)]),
  );
}

function panelTable({ panels }: Results): string {
  return table(
    ['columns of the panel', 'SwiftShader, measured', 'processor time of its threads', 'H100 SXM5, estimated'],
    panels.map(({ M, medianMs, leastMs, processorMs }) => [
      M,
      `${time(medianMs / 1000)} (${time(leastMs / 1000)})`,
      time(processorMs / 1000),
      time(iterationOn(profile, small, M).deviceSeconds),
    ]),
  );
}

function rankTable({ ranks }: Results): string {
  return table(
    ['ranks', 'an iteration', 'processor time of the first rank', 'all-reduces', 'bytes that a rank gives'],
    ranks.map((one: IterationRow) => [
      one.ranks,
      `${time(one.medianMs / 1000)} (${time(one.leastMs / 1000)})`,
      time(one.processorMs / 1000),
      one.allReduces,
      one.reducedBytes,
    ]),
  );
}

/** Seconds of an iteration of the larger problem, and its efficiency beside the fewest ranks. */
function scaling(kind: 'strong' | 'weak', network: Network, host: Host): { ranks: number; seconds: number; efficiency: number }[] {
  const counts = kind === 'strong' ? powers(1, 10) : powers(0, 10);
  const all = counts.map((ranks) => {
    const columns = kind === 'strong' ? strongColumns / ranks : weakColumns;
    return { ranks, seconds: iterationSeconds(profile, large, columns, ranks, network, host) };
  });
  const [first] = all;
  return all.map(({ ranks, seconds }) => ({
    ranks,
    seconds,
    efficiency: kind === 'strong' ? (first.seconds * first.ranks) / (seconds * ranks) : first.seconds / seconds,
  }));
}

function scalingTable(kind: 'strong' | 'weak', host: Host): string {
  const lines = networks.map((network) => scaling(kind, network, host));
  const rows = lines[0].map(({ ranks }, i) => [
    ranks,
    ...lines.map((line) => `${time(line[i].seconds)}, ${Math.round(100 * line[i].efficiency)} %`),
  ]);
  return table(['ranks', ...networks.map(({ name }) => name)], rows);
}

const colours = ['#0072b2', '#d55e00', '#009e73', '#000000', '#56b4e9', '#a3195b'];

/** Lines are estimates, dots were measured here. */
function plot(
  title: string,
  points: readonly Point[],
  axes: { x: string; y: string; ticks: number[]; text: (x: number) => string },
): string {
  const { document } = parseHTML('<html><body></body></html>');
  const series = [...new Set(points.map((point) => point.series))];
  const lines = points.filter(({ measured }) => !measured);
  const all = points.map(({ y }) => y);
  // Labels are 16 of the plot's 370 pixels high.
  const gap = (Math.max(...all) / Math.min(...all)) ** (16 / 370);
  const ends = series.map((name) => points.filter((point) => point.series === name).at(-1)!);
  const drawn = Plot.plot({
    document,
    ...{ width: 860, height: 420, marginLeft: 64, marginRight: 270, marginBottom: 44, ariaLabel: title },
    style: { background: 'white', color: '#1a1a1a', fontSize: '13px', overflow: 'visible' },
    x: { type: 'log', axis: null },
    y: { type: 'log', label: axes.y, grid: true, tickFormat: (ms: number) => `${ms}` },
    color: { domain: series, range: colours },
    marks: [
      Plot.axisX(axes.ticks, { text: axes.text, label: axes.x }),
      Plot.line(lines, { x: 'x', y: 'y', stroke: 'series', strokeWidth: 2 }),
      Plot.dot(
        points.filter(({ measured }) => measured),
        { x: 'x', y: 'y', fill: 'series', r: 4 },
      ),
      Plot.text(apart(ends, gap), { x: 'x', y: 'at', text: 'series', fill: 'series', textAnchor: 'start', dx: 8 }),
    ],
  }) as unknown as { outerHTML: string };
  const svg = drawn.outerHTML;
  return `${svg.includes('xmlns=') ? svg : svg.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ')}\n`;
}

/** Labels that would lie on each other move up; `y` is on a logarithmic scale. */
function apart(ends: readonly Point[], gap: number): (Point & { at: number })[] {
  const sorted = [...ends].sort((a, b) => a.y - b.y);
  let last = 0;
  return sorted.map((end) => {
    last = Math.max(end.y, last * gap);
    return { ...end, at: last };
  });
}

function sumPlot({ sums }: Results, host: Host): string {
  const sizes = [...new Set(sums.map(({ bytes }) => bytes))];
  const measured = sums.map(({ ranks, bytes, medianMs }) => ({
    x: bytes,
    y: medianMs,
    series: `${ranks} ranks here, measured`,
    measured: true,
  }));
  const estimated = networks.flatMap((network) =>
    sizes.map((bytes) => ({
      x: bytes,
      y: 1000 * allReduceSeconds(bytes, 1024, network, host),
      series: `1,024 ranks, ${network.name}`,
    })),
  );
  return plot('An all-reduce by bytes: measured on this machine, estimated for three networks', [...estimated, ...measured], {
    x: 'bytes →',
    y: '↑ ms, estimated (lines) and measured (dots)',
    ticks: sizes,
    text: size,
  });
}

function scalingPlot({ ranks, panels }: Results, host: Host): string {
  const strong = networks.flatMap((network) =>
    scaling('strong', network, host).map((one) => ({ x: one.ranks, y: 1000 * one.seconds, series: `strong: ${network.name}` })),
  );
  const weak = networks
    .slice(1, 2)
    .flatMap((network) =>
      scaling('weak', network, host).map((one) => ({ x: one.ranks, y: 1000 * one.seconds, series: `weak: ${network.name}` })),
    );
  const measured = ranks.map((one) => ({ x: one.ranks, y: one.medianMs, series: 'measured: f64 reference', measured: true }));
  const adapter = panels
    .filter(({ M }) => M === 40_000)
    .map(({ medianMs }) => ({ x: 1, y: medianMs, series: 'measured: SwiftShader', measured: true }));
  return plot('An iteration by ranks: estimated on H100s, measured on this machine', [...strong, ...weak, ...measured, ...adapter], {
    x: 'ranks →',
    y: '↑ ms an iteration, estimated (lines) and measured (dots)',
    ticks: powers(0, 10),
    text: (x) => x.toLocaleString('en'),
  });
}
