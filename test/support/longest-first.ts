/**
 * The order of test files. Vitest begins with the largest, which says little of time: the stacks of differential cases are a few lines
 * each. What takes longest goes first, so that both workers have something to do until the end. A file that is not named here follows as
 * Vitest would have it.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const longest = [
  'dawn',
  'deno',
  'chrome',
  'package/pages',
  'methods/executors',
  'formats/fuzz-binary',
  'cli/table1-experiment',
  'cli/checkpoint',
  'methods/neural',
  'webgpu/halves',
  'bench/traffic',
  'package/package',
  'bench/command',
  'package/examples',
  'cli/process',
  'support/closing-line',
];

const place = ({ moduleId }: TestSpecification) => {
  const at = longest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  return at < 0 ? longest.length : at;
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((one, other) => place(one) - place(other));
  }
}
