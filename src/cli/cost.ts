/** The output of `orthant devices --plan --profile`: what a GPU that need not be here would run, and what it costs by published peaks. */
import type { Profile } from '../engine.js';
import { programFor } from '../methods/program-for.js';
import { profileOf } from '../webgpu/plan/profiles.js';
import { costHeads, costOf, figures, profileLines, type SectionCost, sectionLines } from '../webgpu/plan-cost.js';
import { counted } from '../webgpu/plan-lines.js';
import { defaultPrograms } from './plan.js';

interface ProgramCost extends SectionCost {
  program: string;
}

export interface PlanCost {
  profile: Profile;
  /** One iteration of each. */
  programs: ProgramCost[];
}

/** Small programs are bound by their dispatches; this one is bound by its bytes. */
const large = {
  program: 'nmf by mu, 20000×10000, rank 32',
  method: 'nmf',
  shape: { rows: 20_000, cols: 10_000, ranks: [32], solver: 'mu' },
  step: 'step0',
} as const;

export function costOnProfile(name: string): PlanCost {
  const profile = profileOf(name);
  const programs = [...defaultPrograms, large].map(({ program, method, shape, step }) => ({
    program,
    ...costOf(programFor(method, shape), profile)[step],
  }));
  return { profile, programs };
}

export function costLines({ profile, programs }: PlanCost): string[] {
  return [
    ...profileLines(profile),
    ...programs.flatMap(({ program, ...cost }) => ['', costHeads, ...sectionLines(program, cost)]),
    '',
    'An iteration in sum:',
    '',
    costHeads,
    ...programs.map(({ program, dispatches, ...cost }) => `${figures(cost)}  ${program}: ${counted(dispatches, 'dispatch', 'es')}`),
    '',
    'n %         the part of the GPU that a dispatch fills, where it is not all',
    'bytes       every operand once',
    'requested   as often as the tiles of products ask for it; caches serve a part',
    'operations  on f32; a fused multiply-add is two; a solve counts one round',
    'bound       the longer one of bytes and operations on the part of the GPU that is filled,',
    '            and the time of the dispatches',
  ];
}
