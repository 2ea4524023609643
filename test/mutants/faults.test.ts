/**
 * The faults that `npm run test:mutants` plants still have a place in the sources. Where lines changed, `npm run test:mutants -- --renew`
 * makes a new list by the rules; then the faults are to be planted again.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/examples.js';
import { coversOf } from './covers.mjs';
import { type Fault, nameOf, planted } from './rules.mjs';

const read = async (name: string) => JSON.parse(await readFile(path.join(root, 'test/mutants', name), 'utf8')) as unknown;
const faults = (await read('faults.json')) as Fault[];
const equivalents = (await read('survivors.json')) as Record<string, string>;

test('there are many, of every kind', () => {
  expect(faults.length).toBeGreaterThanOrEqual(150);
  expect([...new Set(faults.map(({ kind }) => kind))].sort()).toEqual(
    ['barrier', 'bound', 'epsilon', 'index', 'mask', 'padding', 'sign', 'stride', 'transpose'].sort(),
  );
  expect(new Set(faults.map(nameOf)).size).toBe(faults.length);
});

test('each has its line, and something that covers it', async () => {
  const texts = new Map<string, Promise<string>>();
  for (const fault of faults) {
    if (!texts.has(fault.file)) texts.set(fault.file, readFile(path.join(root, fault.file), 'utf8'));
    const text = await texts.get(fault.file)!;
    const changed = planted(text, fault);
    expect(changed, nameOf(fault)).toBeDefined();
    expect(changed, nameOf(fault)).not.toBe(text);
    const { cases, tests = [] } = coversOf(fault.file) ?? {};
    expect(cases ?? tests[0], nameOf(fault)).toBeDefined();
    for (const file of tests) expect(existsSync(path.join(root, file)), file).toBe(true);
  }
});

test('each fault that may survive is in the list, with its reason', () => {
  const names = new Set(faults.map(nameOf));
  for (const [name, reason] of Object.entries(equivalents)) {
    expect(names).toContain(name);
    expect(reason.length, name).toBeGreaterThan(20);
  }
});
