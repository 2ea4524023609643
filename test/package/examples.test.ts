/** The scripts of docs/examples run as they stand, on a small problem and the f64 executor, and find what they generated. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { build } from '../support/build.js';
import { repository } from './fixture.js';

const examples = path.join(repository, 'docs/examples');
const [mostPicture, mostLines] = [40_000, 75];
/** What scripts share. */
const parts = ['kit.mjs', 'sound.mjs'];
const names = (await readdir(examples)).flatMap((file) => (file.endsWith('.mjs') && !parts.includes(file) ? file.replace('.mjs', '') : []));

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'orthant-examples-'));
  await build();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the small run of an example prints. Its picture is checked besides. */
async function runQuick(name: string): Promise<string> {
  const env = { ...process.env, ORTHANT_EXAMPLE_QUICK: '1' };
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(examples, `${name}.mjs`), folder], { env });
  expect(stdout).toContain('device: f64 reference');
  const svg = await readFile(path.join(folder, `${name}.svg`), 'utf8');
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg".*<\/svg>\n$/s);
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  return stdout;
}

/** The numbers in the groups of a pattern, of every place where it fits. */
function numbersIn(text: string, pattern: RegExp): number[] {
  const found = Array.from(text.matchAll(pattern), ([, number]) => Number(number));
  if (found.length === 0) throw new Error(`Nothing of ${pattern} is in:\n${text}`);
  return found;
}

/** What each example has to find. */
const claims: Record<string, (said: string) => void> = {
  // Noise of 1 % of the peak; a mixture with a tenth of another spectrum would be 6° away.
  spectra(said) {
    const angles = numbersIn(said, /angle to the truth ([\d.]+)°/g);
    expect(angles).toHaveLength(3);
    expect(Math.max(...angles)).toBeLessThan(3);
  },
  // No prediction is better than the noise of a rating. The mean of a film is what NMF has to beat.
  ratings(said) {
    const [mean] = numbersIn(said, /mean of the film: RMSE ([\d.]+)/g);
    const [ofTruth] = numbersIn(said, /the true ratings: RMSE ([\d.]+)/g);
    const best = Math.min(...numbersIn(said, /NMF of rank \d: RMSE ([\d.]+)/g));
    expect(ofTruth).toBeCloseTo(0.3, 1); // the noise, within 0.05: three standard errors of 162 ratings
    expect(best).toBeGreaterThan(ofTruth * 0.95);
    expect(best).toBeLessThan((mean + ofTruth) / 2);
  },
  signatures(said) {
    const [chosen] = numbersIn(said, /rank (\d) is chosen/g);
    expect(chosen).toBe(numbersIn(said, /there are (\d) processes/g)[0]);
    const [cosines] = said.match(/(?<=cosines to the truth: ).*/) ?? [''];
    expect(
      cosines
        .split(', ')
        .map(Number)
        .filter((cosine) => cosine >= 0.95),
    ).toHaveLength(chosen);
  },
  // Eras are no topics, but words changed with them; one topic for all would be right for the most frequent era alone.
  speeches(said) {
    const [purity] = numbersIn(said, /purity ([\d.]+)/g);
    const [ofOne] = numbersIn(said, /one topic for all: ([\d.]+)/g);
    expect(ofOne).toBeLessThan(0.5);
    expect(purity).toBeGreaterThan(0.8);
  },
  // In the mixture the other instrument is the distortion, so the two SDRs are opposite but for the noise. A factor of ten is 10 dB.
  audio(said) {
    const [before, after] = [/SDR (-?[\d.]+) dB in/g, /([\d.]+) dB separated/g].map((pattern) => numbersIn(said, pattern));
    expect(Math.abs(before[0] + before[1])).toBeLessThan(0.5);
    expect(after.map((decibels, i) => decibels - before[i]).filter((gain) => gain > 10)).toHaveLength(2);
  },
  // Who takes all mail for wanted is right in 71.5 % of the new messages.
  mail(said) {
    const [most] = numbersIn(said, /([\d.]+) % of the new ones are wanted/g);
    expect(numbersIn(said, /([\d.]+) % with the 40 alone/g)[0]).toBeGreaterThan(most + 8);
  },
  // A tenth of the guesses is right by chance.
  digits(said) {
    const [ofParts] = numbersIn(said, /of the parts ([\d.]+)/g);
    const [ofDigits] = numbersIn(said, /of the digits ([\d.]+)/g);
    expect(ofParts).toBeGreaterThan(ofDigits + 0.2);
    expect(numbersIn(said, /([\d.]+) % by 24 parts/g)[0]).toBeGreaterThan(80);
    expect(numbersIn(said, /([\d.]+) % right by 64 pixels/g)[0]).toBeGreaterThan(80);
  },
};

test('every example has a page in the index, a picture of it, and a claim that is checked', async () => {
  expect(Object.keys(claims).sort()).toEqual([...names].sort());
  const index = await readFile(path.join(examples, 'README.md'), 'utf8');
  for (const name of names) expect(index).toContain(`](${name}.md)`);
});

describe.each(names)('%s', (name) => {
  test('finds what is claimed, on a small problem', async () => claims[name](await runQuick(name)));

  test('is a recipe of a page with what it printed and a small picture', async () => {
    const [script, page, svg] = await Promise.all(
      ['mjs', 'md', 'svg'].map((end) => readFile(path.join(examples, `${name}.${end}`), 'utf8')),
    );
    expect(script.split('\n').length).toBeLessThanOrEqual(mostLines);
    expect(page).toContain(`node docs/examples/${name}.mjs`);
    expect(page).toMatch(new RegExp(`!\\[[^\\]]{10,}\\]\\(${name}\\.svg\\)`));
    expect(page).toContain('device: ');
    expect(svg.length).toBeLessThanOrEqual(mostPicture);
  });
});
