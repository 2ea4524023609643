/** The survey of ranks of the room Matrix. */
import { chooseRanks, InputError, type RankResult } from 'orthant';
import { type FitEvent, runFit } from './fits.js';
import { type Picture, pictureOf } from './matrix-pictures.js';
import { withoutMissing } from './matrix-read.js';
import { type Refusal, refusalOf, state } from './matrix-state.js';

export interface SurveyRequest {
  ranks: readonly number[];
  layers: number;
  restarts?: number;
  masks?: number;
  hidden?: number;
  perturbation?: number;
  seed?: number;
  maxIterations?: number;
}

/** The survey of one layer. */
export interface Surveyed {
  results: RankResult[];
  chosen: number;
  reason: string;
  notes: string[];
  consensus: Picture;
  /** The sample of each row of the consensus, counted from 0. */
  samples: number[];
}

export async function survey(
  request: SurveyRequest,
  id: number,
  hear: (event: FitEvent) => void,
): Promise<{ ranks: number[]; surveys: Surveyed[] } | { refused: Refusal }> {
  const { data } = state;
  try {
    if (!data) throw new InputError('There are no data yet; drop a file, or take an example.');
    const known = withoutMissing(data.X);
    const { layers } = request;
    let layer = -1;
    const { ranks, surveys } = await runFit(
      (engine, _, signal) =>
        chooseRanks(engine, known.X, {
          ...request,
          weights: known.weights,
          signal,
          onProgress: ({ done, of, rank }) => {
            if (done === 1) layer++;
            const where = layers > 1 ? `Layer ${layer}, rank ${rank}` : `Rank ${rank}`;
            hear({ kind: 'done', part: (layer + done / of) / layers, text: `${where}: ${done} of ${of} batches of fits are done.` });
          },
        }),
      { id, hear },
    );
    return {
      ranks,
      surveys: surveys.map(({ results, chosen, reason, notes, consensus }) => ({
        results,
        chosen,
        reason,
        notes,
        consensus: pictureOf(consensus.matrix, 2 ** 19),
        samples: consensus.samples,
      })),
    };
  } catch (error) {
    return { refused: refusalOf(error, data) };
  }
}
