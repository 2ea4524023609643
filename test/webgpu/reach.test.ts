import { describe, expect, test } from 'vitest';
import { surroundings, withoutAdapter, withoutWebGpu } from '../../src/webgpu/device/reach.js';

const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36';
const safari = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15';
const firefox = (system: string) => `Mozilla/5.0 (${system}; rv:152.0) Gecko/20100101 Firefox/152.0`;
const linux = firefox('X11; Linux x86_64');

describe('no navigator.gpu', () => {
  test.each([
    ['Node', { node: true }, /import createEngine from 'orthant\/node'/],
    ['an http page', { userAgent: chrome, secure: false }, /https, or from localhost/],
    ['Firefox on Linux', { userAgent: linux, secure: true }, /set dom\.webgpu\.enabled to true/],
    [
      'Firefox on Linux, worker',
      { userAgent: linux, secure: true, worker: true },
      /dom\.webgpu\.enabled and dom\.webgpu\.workers\.enabled/,
    ],
    ['Firefox on Windows', { userAgent: firefox('Windows NT 10.0; Win64; x64'), secure: true }, /from 141 on Windows/],
    ['Safari', { userAgent: safari, secure: true }, /Safari from 26/],
    ['Chrome', { userAgent: chrome, secure: true }, /Update Chrome/],
    ['anything else', {}, /recent Chrome, Edge, Safari or Firefox/],
  ])('%s', (_name, seen, advice) => expect(withoutWebGpu(seen)).toMatch(advice));
});

describe('no adapter', () => {
  test.each([
    ['Chrome', chrome, /after repeated crashes of the GPU: wait, or restart/],
    ['Firefox', linux, /about:support/],
    ['Safari', safari, /Restart Safari/],
    ['anything else', undefined, /driver is installed/],
  ])('%s', (_name, userAgent, advice) => expect(withoutAdapter({ userAgent })).toMatch(advice));
});

test('this is Node', () => expect(surroundings()).toMatchObject({ node: true, worker: false }));
