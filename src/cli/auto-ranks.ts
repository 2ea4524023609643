/** `fit --ranks auto`: the ranks of the layers by surveys of ranks, before the fit. */
import { InvalidArgumentError } from 'commander';
import { isSparse } from '../data/sparse.js';
import { InputError } from '../errors.js';
import { type Method, methodOf } from '../methods/methods.js';
import { chooseRanks, type LayerChoice } from '../ranks/choose.js';
import type { RankSurvey } from '../ranks/survey.js';
import type { ReportSurvey } from '../report/types.js';
import { type DeviceChoice, parseRankRange, parseRanks } from './arguments.js';
import type { Data } from './data-file.js';
import type { Io } from './io.js';
import { batchesLine } from './progress.js';
import { onDevice } from './run-fit.js';
import { wrapAll } from './text-width.js';

/** Ranks that are to be chosen. */
export interface AutoRanks {
  /** Layers that are chosen; 'auto' for as many as the surveys speak for. */
  layers: number | 'auto';
  /** The ranks to try; left out, they are 2 to 15, as far as the matrix goes. */
  tried?: number[];
  /** Given ranks of the layers after them. */
  rest: number[];
}

export const isAuto = (ranks: unknown): ranks is AutoRanks => typeof ranks === 'object' && ranks !== null && 'layers' in ranks;

/** A list of ranks, or 'auto', 'auto:2..15', 'auto,auto', 'auto:2..15,auto,3'. */
export function parseRanksOrAuto(text: string): number[] | AutoRanks {
  if (!/^\s*auto\b/.test(text)) return parseRanks(text);
  const [first, ...others] = text.split(',').map((part) => part.trim());
  const [, bounds] = /^auto(?::(.*))?$/.exec(first) ?? [];
  if (!/^auto(:.+)?$/.test(first)) throw new InvalidArgumentError('It must be auto, or auto with ranks to try, such as auto:2..15.');
  const given = others.findIndex((part) => part !== 'auto');
  const autos = given < 0 ? others.length : given;
  const rest = others.slice(autos);
  if (rest.some((part) => part.startsWith('auto')))
    throw new InvalidArgumentError('Layers that are chosen come first, and the ranks to try stand at the first one: auto:2..15,auto,3.');
  return {
    layers: others.length === 0 ? 'auto' : autos + 1,
    ...(bounds !== undefined && { tried: parseRankRange(bounds) }),
    rest: rest.length === 0 ? [] : parseRanks(rest.join(',')),
  };
}

/** Throws InputError for what does not go with ranks that are chosen. */
export function checkAuto({ layers, rest }: AutoRanks, method: Method, { start, weights }: { start?: unknown; weights?: string }) {
  if (methodOf(method).layers === 'one' && (rest.length > 0 || (layers !== 'auto' && layers > 1)))
    throw new InputError(`--method ${method} takes one rank, but --ranks has several layers; give --ranks auto.`, { option: 'ranks' });
  if (typeof start === 'object' || (typeof start === 'string' && !isWord(start, method)))
    throw new InputError('--ranks auto chooses ranks, but the factors of --start have theirs; leave out one of them.', { option: 'ranks' });
  if (weights !== undefined)
    throw new InputError('--ranks auto knows of no --weights; choose the ranks with orthant rank, or write cells without a value.', {
      option: 'ranks',
    });
}

const isWord = (start: string, method: Method) => (methodOf(method).options.start?.values ?? []).map(String).includes(start);

/** The ranks of the data, with a sentence for each layer: on standard output, or with --json on standard error. */
export async function ranksByAuto(
  io: Io,
  { layers, tried, rest }: AutoRanks,
  data: Data,
  { method, seed, device, json }: { method: Method; seed: number; device: DeviceChoice; json?: boolean },
): Promise<{ ranks: number[]; choices: LayerChoice[]; surveys: RankSurvey[] }> {
  const { X, weights } = data;
  const most = Math.min(15, X.rows, X.cols);
  const ranks = tried ?? Array.from({ length: Math.max(1, most - 1) }, (_, i) => Math.min(i + 2, most));
  // A large sparse matrix is surveyed by the agreement of its restarts: see RankOptions.
  const large = isSparse(X) && X.rows * X.cols > 2 ** 26 ? { masks: 0, perturbation: 0 } : {};
  const line = batchesLine(io);
  const choices: LayerChoice[] = [];
  const out = json ? io.stderr : io.stdout;
  const found = await onDevice(io, { device }, (engine) =>
    chooseRanks(engine, X, {
      ranks,
      layers: methodOf(method).layers === 'one' ? 1 : layers,
      seed,
      weights,
      ...large,
      signal: io.signal,
      onProgress: line.update,
      onLayer: (choice) => {
        choices.push(choice);
      },
    }),
  ).finally(line.stop);
  const sentences = choices.map(({ layer, rank, reason }) => (rank === undefined ? reason : `layer ${layer}: rank ${rank}. ${reason}`));
  if (found.ending !== undefined && choices.at(-1)?.reason !== found.ending) sentences.push(found.ending);
  out.print([...wrapAll(sentences, out.columns), ...(json ? [] : [''])]);
  const last = found.ranks[found.ranks.length - 1];
  if (rest.length > 0 && rest[0] > last)
    throw new InputError(
      `--ranks has ${rest[0]} for the layer after those that were chosen, but the last of those has rank ${last}; give a smaller one.`,
      {
        option: 'ranks',
      },
    );
  return { ranks: [...found.ranks, ...rest], choices, surveys: found.surveys };
}

/** The surveys as a report shows them. */
export function surveysInReport(surveys: readonly RankSurvey[], choices: readonly LayerChoice[]): ReportSurvey[] {
  return surveys.map(({ results, chosen, reason }, l) => ({
    layer: l,
    // The last one may be of a layer that is not there.
    chosen: choices[l] ? (choices[l].rank ?? null) : chosen,
    reason: choices[l]?.reason ?? reason,
    ranks: results.map(({ rank, relativeError, heldOut, cophenetic, dispersion, stability }) => ({
      rank,
      relativeError,
      heldOut: heldOut?.error ?? null,
      standardError: heldOut?.standardError ?? null,
      cophenetic,
      dispersion,
      stableA: stability?.leastOfA ?? null,
      stableS: stability?.leastOfS ?? null,
    })),
  }));
}
