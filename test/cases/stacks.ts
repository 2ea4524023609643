/**
 * What each stack runs. Dawn in Node runs every case. In Chrome and in Deno the same kernels are compiled once more, which takes nearly
 * all of their time, so there a case runs if it compiles something new: a kernel, or a kernel with a value of one of its constants that no
 * case before it had. Of cases whose kernels alone are known beforehand two run for each list of kernels. Those of methods and programs all
 * run.
 */
import { software } from './gpus.js';
import { suites } from './index.js';
import type { Case } from './support.js';

type Suites = Record<string, Case[]>;

/** Chrome has Dawn's compiler. */
export const inChrome = (): Suites => economical(({ once }) => !once);

/** Deno has naga, and no subgroups: test/deno/main.ts fails once it has them. */
export const inDeno = (): Suites => economical(({ once, subgroups }) => !once && !subgroups);

/** The cases that `fits` lets through and that bring something new, in the order of the list, so that it is the same ones in every run. */
function economical(fits: (one: Case) => boolean): Suites {
  const seen = new Set<string>();
  const lists = new Map<string, number>();
  const isNew = ({ pipelines, kernels }: Case) => {
    if (!pipelines && !kernels) return true;
    if (!pipelines) {
      const list = kernels!(software).join();
      lists.set(list, (lists.get(list) ?? 0) + 1);
      return lists.get(list)! <= 2;
    }
    const before = seen.size;
    for (const trait of traits(pipelines(software))) seen.add(trait);
    return seen.size > before;
  };
  return Object.fromEntries(Object.entries(suites).map(([suite, cases]) => [suite, cases.filter((one) => fits(one) && isNew(one))]));
}

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
