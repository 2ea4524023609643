/**
 * Differential cases once more, with the plans of a GPU. A case whose pipelines are the same there (but for the size of workgroups) has
 * run already.
 */
import type { AdapterFacts } from '../../src/webgpu/plan/planner.js';
import type { Case, Stack } from './support.js';

/** Default limits of WebGPU: a plan for them fits every device. */
const limits: Omit<AdapterFacts, 'software' | 'subgroups'> = {
  maxWorkgroupsPerDimension: 65_535,
  maxStorageBinding: 128 << 20,
  maxBufferSize: 256 << 20,
  maxWorkgroupStorage: 16_384,
  maxInvocationsPerWorkgroup: 256,
};

/** What the planner is told of a software adapter. */
export const software: AdapterFacts = { ...limits, software: true, subgroups: true };

/** From the plan that most devices can run to the plan that fewer can. */
const gpus: readonly { name: string; facts: AdapterFacts }[] = [
  { name: 'as on a GPU without subgroups', facts: { ...limits, software: false, llvmpipe: false, subgroups: false } },
  { name: 'as on a GPU', facts: { ...limits, software: false, llvmpipe: false, subgroups: true } },
];

/** The cases, each followed by its variants. */
export function withGpus(cases: readonly Case[]): Case[] {
  return cases.map(remembering).flatMap((one) => [one, ...variants(one)]);
}

/** Planned once for each adapter: lists of cases are made from pipelines, too. */
function remembering(one: Case): Case {
  const { pipelines } = one;
  if (!pipelines) return one;
  const known = new Map<AdapterFacts, string>();
  const remembered = (facts: AdapterFacts) => {
    const text = known.get(facts) ?? pipelines(facts);
    known.set(facts, text);
    return text;
  };
  return { ...one, pipelines: remembered };
}

function variants(one: Case): Case[] {
  const { pipelines } = one;
  if (!pipelines) return [];
  const known = [pipelines(software)];
  return gpus
    .filter(({ facts }) => {
      const own = pipelines(facts);
      const ran = known.includes(own);
      known.push(own);
      return !ran;
    })
    .map(({ name, facts }) => ({
      ...one,
      name: `${one.name}, ${name}`,
      subgroups: one.subgroups || facts.subgroups,
      kernels: () => one.kernels!(facts),
      pipelines: () => pipelines(facts),
      run: (stack) => one.run(planned(stack, facts)),
    }));
}

/** The stack with engines that plan for these facts. */
function planned(stack: Stack, facts: AdapterFacts): Stack {
  return {
    ...stack,
    engineWith: (options) => stack.engineWith({ ...options, forced: { ...options.forced, facts } }),
    guarded: (options = {}) => stack.guarded({ ...options, forced: { ...options.forced, facts } }),
  };
}
