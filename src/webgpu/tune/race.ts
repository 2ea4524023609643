/** Which of several choices is fastest: wrong ones drop out, a first round drops slow ones, and the others take turns. */
import { median } from '../../data/median.js';

/** How choices are tried, by their number; 0 is the untuned one. */
export interface Track {
  isRight(at: number): Promise<boolean>;
  /** Milliseconds of `times` executions. */
  time(at: number, times: number): Promise<number>;
  /** Executions that may go into one submit. */
  mostAtOnce(at: number): number;
}

export interface Verdict {
  chosen: number;
  /** Median milliseconds of one execution, by choice, of those in the last rounds. */
  ms: ReadonlyMap<number, number>;
}

/** A choice goes on to the last rounds if its first one took no longer than this many times the fastest. */
const stillPromising = 1.5;
/** Gain below which the untuned choice stays: it is as good, within noise. And it stays unless it loses in most of the rounds. */
const worthAChange = 0.95;
const mostRounds = 0.8;
/** The shortest time of one measurement, if a submit may be that long. */
const spanMs = 4;

/** The fastest of the choices that are right, or undefined if none is. */
export async function fastest(choices: readonly number[], track: Track, repeats: number): Promise<Verdict | undefined> {
  const right: number[] = [];
  for (const at of choices) if (await track.isRight(at)) right.push(at);
  if (right.length === 0) return undefined;
  const rounds = await race(right, track, repeats);
  const ms = new Map(Array.from(rounds, ([at, times]) => [at, median(times)]));
  const [first] = [...ms].reduce((best, one) => (one[1] < best[1] ? one : best));
  return { chosen: isClearlyFaster(rounds.get(first)!, rounds.get(0)) ? first : 0, ms };
}

/** Milliseconds of one execution in each round, by choice, of those in the last rounds. */
async function race(choices: readonly number[], { time, mostAtOnce }: Track, repeats: number): Promise<Map<number, number[]>> {
  const several = async (at: number) => {
    const few = Math.min(4, mostAtOnce(at));
    const roughly = await time(at, few);
    // Browsers round timestamps to a tenth of a millisecond.
    const enough = Math.ceil(Math.min((few * spanMs) / Math.max(roughly, 0.1), mostAtOnce(at)));
    return roughly > 1 ? roughly / few : (await time(at, enough)) / enough;
  };
  // Not the first execution, which the check was: pages and caches are warm by now.
  const first = new Map<number, number>();
  for (const at of choices) {
    let once = await time(at, 1);
    if (once > spanMs) once = Math.min(once, await time(at, 1)); // other work may have come in between
    first.set(at, once > spanMs ? once : await several(at));
  }
  const best = Math.min(...first.values());
  const promising = choices.filter((at) => at === 0 || first.get(at)! <= stillPromising * best);
  const samples = new Map<number, number[]>(promising.map((at) => [at, []]));
  for (let round = 0; round < repeats; round++) {
    for (const at of promising) {
      const times = Math.ceil(Math.min(spanMs / Math.max(first.get(at)!, 1e-3), mostAtOnce(at)));
      const each = (await time(at, times)) / times;
      samples.get(at)!.push(each);
      first.set(at, Math.min(first.get(at)!, each));
    }
  }
  return samples;
}

/** True as well where the untuned choice came to a wrong result. */
function isClearlyFaster(times: readonly number[], untuned: readonly number[] | undefined): boolean {
  if (untuned === undefined) return true;
  const won = times.filter((time, round) => time < untuned[round]).length;
  return median(times) <= worthAChange * median(untuned) && won >= mostRounds * times.length;
}
