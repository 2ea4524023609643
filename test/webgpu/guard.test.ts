/** Every kernel is run by a differential case whose memory is watched (test/cases/guard.ts), on every stack (test/cases/stacks.ts). */
import { expect, test } from 'vitest';
import { shaders } from '../../src/webgpu/shaders.generated.js';
import { software } from '../cases/gpus.js';
import { suites } from '../cases/index.js';
import { inChrome, inDeno, kernelsOf, traits } from '../cases/stacks.js';
import type { Case } from '../cases/support.js';

/** A look at the compiler, run on every device before anything else: test/webgpu/probe.test.ts. */
const elsewhere = ['probe/count-rounds'];

const chrome = inChrome();
const deno = inDeno();

const all = (stack: Record<string, Case[]>) => Object.values(stack).flat();
const leftOut = (kernels: readonly string[]) =>
  Object.keys(shaders).filter((kernel) => !kernels.includes(kernel) && !elsewhere.includes(kernel));

test('no kernel is left out', () => {
  expect(leftOut(all(suites).flatMap(({ kernels }) => kernels?.(software) ?? []))).toEqual([]);
});

test.each([
  ['Chrome runs every kernel', chrome, ({ once }: Case) => !once, kernelsOf],
  ['Deno runs every kernel, every constant of a kernel', deno, ({ once, subgroups }: Case) => !once && !subgroups, traits],
] as const)('%s, and every method', (_, stack, fits, news) => {
  const newsOf = ({ pipelines }: Case) => (pipelines ? news(pipelines(software)) : []);
  const compiled = new Set(all(stack).flatMap(newsOf));
  const elsewise = all(stack).flatMap((one) => (one.pipelines ? [] : (one.kernels?.(software) ?? [])));
  expect(leftOut([...compiled, ...elsewise])).toEqual([]);
  const ofAll = all(suites).filter(fits).flatMap(newsOf);
  expect(ofAll.filter((one) => !compiled.has(one))).toEqual([]);
  expect(stack.fits.map(({ name }) => name)).toEqual(suites.fits.map(({ name }) => name));
});
