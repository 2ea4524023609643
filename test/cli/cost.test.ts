/** `orthant devices --plan --profile`, which needs no adapter: asking for one fails here. */
import { expect, test, vi } from 'vitest';
import { profiles } from '../../src/webgpu/plan/profiles.js';
import { runCli } from '../support/cli.js';

vi.mock('../../src/node/dawn.js', () => {
  const none = () => {
    throw new Error('An adapter was asked for.');
  };
  return { requestDawnAdapter: none, listAdapters: none };
});

test.each(Object.keys(profiles))('%s: an iteration of each program by operation, and the sums', async (name) => {
  const { status, stdout, stderr } = await runCli(['devices', '--plan', '--profile', name]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout.split('\n')[0]).toMatch(`on ${profiles[name].label}: `);
  expect(stdout).toMatch(/estimates\.$/m);
  expect(stdout).toMatch(/[kMG]?B +[\d.]+ [kMG]?B +[\d.]+ [kMG] +[\d.]+ [µm]s +A0 = A0 ∘ \(X S0ᵀ\) \/ t\d+$/m);
  expect(stdout.match(/^ ?[\d.]+ .*neural, 87×90, ranks 9,4,2: \d+ dispatches$/gm)).toHaveLength(2);
});

test('the same as JSON: operations add up to programs', async () => {
  const { stdout } = await runCli(['devices', '--plan', '--profile', 'rtx-4090', '--json']);
  const { plan } = JSON.parse(stdout);
  expect(plan.profile).toEqual(profiles['rtx-4090']);
  expect(plan.programs).toHaveLength(4);
  for (const { bytes, seconds, dispatches, steps } of plan.programs) {
    expect(bytes).toBe(steps.reduce((sum: number, step: { bytes: number }) => sum + step.bytes, 0));
    expect(seconds).toBeGreaterThan(dispatches * 5e-6);
  }
});

test.each([
  [['--plan', '--profile', 'gtx-480'], new RegExp(`Allowed choices are ${Object.keys(profiles).join(', ')}\\.`)],
  [['--profile', 'rtx-4090'], /--profile is for --plan/],
])('bad input: %s', async (options, says) => {
  const { status, stdout, stderr } = await runCli(['devices', ...options]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(says);
});
