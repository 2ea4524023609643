/** Which adapter is taken of several. No adapter is needed to know. */
import { expect, test } from 'vitest';
import { type Candidate, inOrder } from '../../src/node/preference.js';

const gpu: Candidate = { software: false, llvmpipe: false, source: 'system' };
const lavapipe: Candidate = { software: true, llvmpipe: true, source: 'system' };
const swiftShader: Candidate = { software: true, llvmpipe: false, source: 'system' };
const packaged: Candidate = { software: true, llvmpipe: false, source: 'packaged' };

test('auto takes hardware, then lavapipe of the system, then its other software adapter, then the packaged one', () => {
  expect(inOrder([packaged, swiftShader, lavapipe, gpu], 'auto')).toEqual([gpu, lavapipe, swiftShader, packaged]);
  expect(inOrder([swiftShader, lavapipe], 'auto')).toEqual([lavapipe, swiftShader]);
  expect(inOrder([packaged, swiftShader], 'auto')).toEqual([swiftShader, packaged]);
});

test('software takes no hardware, and gpu nothing else', () => {
  expect(inOrder([gpu, packaged, lavapipe], 'software')).toEqual([lavapipe, packaged]);
  expect(inOrder([lavapipe, packaged, gpu], 'gpu')).toEqual([gpu]);
  expect(inOrder([lavapipe, packaged], 'gpu')).toEqual([]);
});
