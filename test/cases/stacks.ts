/**
 * What each stack runs. Dawn in Node runs every case. In Chrome and in Deno the same kernels are compiled once more, which takes nearly
 * all of their time. Chrome has Dawn's compiler, so there a case runs if it has a kernel that no case before it had. Deno has a compiler of
 * its own: there it runs for a new value of a constant, too. Of cases whose kernels alone are known beforehand one runs in Chrome for each
 * list of kernels, and two in Deno. Those of methods and programs all run.
 */
import { software } from './gpus.js';
import { suites } from './index.js';
import type { Case } from './support.js';

type Suites = Record<string, Case[]>;

export const inChrome = (): Suites => economical(({ once }) => !once, kernelsOf, 1);

/** Deno has no subgroups: test/deno/main.ts fails once it has them. */
export const inDeno = (): Suites => economical(({ once, subgroups }) => !once && !subgroups, traits, 2);

/**
 * The cases that `fits` lets through and that bring something new, by `news` of their pipelines or as one of the first `most` of their list of
 * kernels, in the order of the list, so that it is the same ones in every run.
 */
function economical(fits: (one: Case) => boolean, news: (pipelines: string) => string[], most: number): Suites {
  const seen = new Set<string>();
  const lists = new Map<string, number>();
  const isNew = ({ pipelines, kernels }: Case) => {
    if (!pipelines && !kernels) return true;
    if (!pipelines) {
      const list = kernels!(software).join();
      lists.set(list, (lists.get(list) ?? 0) + 1);
      return lists.get(list)! <= most;
    }
    const before = seen.size;
    for (const one of news(pipelines(software))) seen.add(one);
    return seen.size > before;
  };
  const chosen = Object.entries(suites).map(([suite, cases]) => [suite, cases.filter((one) => fits(one) && isNew(one))] as const);
  return Object.fromEntries(chosen.filter(([, cases]) => cases.length > 0));
}

/** The kernel of each line. */
export const kernelsOf = (pipelines: string): string[] => pipelines.split('\n').map((line) => line.trim().split(' ')[0]);

/** `kernel NAME=value …` in each line, as kernels and as kernels with one constant. */
export function traits(pipelines: string): string[] {
  return pipelines.split('\n').flatMap((line) => {
    const [kernel, ...constants] = line.split(' ').filter(Boolean);
    return [kernel, ...constants.map((constant) => `${kernel} ${inClasses(constant)}`)];
  });
}

/** Numbers above 8 are lengths of loops that are written out; of those between two powers of two one will do. */
function inClasses(constant: string): string {
  const [name, value] = constant.split('=');
  return Number(value) > 8 ? `${name}=2^${Math.floor(Math.log2(Number(value) - 1))}…` : constant;
}
