/** What all kinds of work have in common that a tuning times: a class, the choices for it, a program that tries them, a check. */
import type { Choices, Run, TunedKind } from '../../engine.js';
import type { Program } from '../../graph/program.js';
import type { AdapterFacts } from '../plan/planner.js';

/** Work that a tuning times. */
export interface TunedClass<K extends TunedKind = TunedKind> {
  kind: K;
  name: string;
  /** The choices that the device can run, the untuned one first. */
  choices(facts: AdapterFacts): readonly Choices[K][];
  /** The work `count` times. */
  trial(count: number): Trial;
}

export interface Trial {
  /** The same work in sections 0, 1, … */
  program: Program;
  write(run: Run): void;
  /** Executes a section once and compares what it leaves with a computation in f64. */
  isRight(run: Run, section: string): Promise<boolean>;
}

/** Half the distance from 1 to the next f32: the relative error of one rounding. */
export const rounding = 2 ** -24;

/** Workgroups that are tried. On software adapters a workgroup is a loop on one core, on GPUs a few subgroups. */
export function workgroupsFor({ software }: AdapterFacts): readonly number[] {
  return software ? [16, 64] : [32, 64, 128, 256];
}

export function uniform(r: { uniform(): number }, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => r.uniform());
}

/** Some numbers below `count`, the first and the last among them. */
export function places(count: number): number[] {
  return [...new Set([0, count - 1, count >> 1, count >> 2, (count * 3) >> 2])];
}
