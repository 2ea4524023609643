/** The room Matrix, in a real browser on the built files: from the drop to the files that are saved. */
import path from 'node:path';
import type { Page } from 'puppeteer';
import { afterAll, expect, test } from 'vitest';
import { decodeNpy, encodeNpy, encodePng, parseCsvMatrix } from '../../src/formats.js';
import { chooseRank, inverseTransform, matrix, methodList, nmf, randomLowRank } from '../../src/index.js';
import { createEngine, readMatrix } from '../../src/node.js';
import { violations } from './axe.js';
import { fitEnded, inState, textOf } from './built.js';
import { choose, complaint, drop, gappy, inShort, matrixRoom, press, saved, tone } from './matrix-room.js';

const { open, close } = matrixRoom();
afterAll(close);

test('fills the gaps of a dropped table as the library does, goes on, and saves and takes the model', async () => {
  const { page, complaints, folder, write } = await open('?maxIterations=40&seed=3&ranks=3');
  const { csv, X } = gappy();
  await drop(page, await write('gaps.csv', csv));
  const gone = X.data.filter(Number.isNaN).length;
  expect(await inShort(page, /13 features/)).toContain(
    `13 features × 17 samples, ${Number(((100 * gone) / X.data.length).toPrecision(3))} % missing`,
  );
  expect(await textOf(page, '.facts')).toContain('f1; f2; … f13');
  expect(await violations(page), 'a file that was read').toEqual([]);

  await press(page, 'Start');
  await inState(page, 'ended');
  expect(await violations(page), 'the end of a fit').toEqual([]);
  await press(page, 'Save the filled matrix (CSV)');
  const filled = parseCsvMatrix(await saved(folder, 'gaps-filled.csv')).X;
  const engine = await createEngine();
  const model = await nmf(engine, X, { ranks: 3, seed: 3, maxIterations: 40 });
  engine.dispose();
  const expected = inverseTransform(model, model.S[0]);
  for (let i = 0; i < X.rows; i++) {
    for (let j = 0; j < X.cols; j++) {
      const at = i * X.cols + j;
      const value = filled.data[j * X.rows + i];
      if (!Number.isNaN(X.data[at])) expect(value).toBe(X.data[at]);
      else expect(Math.abs(value - expected.data[at])).toBeLessThan(1e-4 * Math.max(1, expected.data[at]));
    }
  }
  const errorOf = async () => Number(await textOf(page, '.levels td'));
  const before = await errorOf();
  expect(before).toBeCloseTo(model.relativeError, 4);

  // The report is the page of the library, of this fit.
  await press(page, 'Save the report (.html)');
  const report = Buffer.from(await saved(folder, 'gaps.html')).toString();
  // The JSON that its own script reads.
  const told = JSON.parse(/<script type="application\/json" id="data">([^<]*)</.exec(report)![1]);
  expect(told.layers).toEqual([{ rank: 3, relativeError: expect.closeTo(model.relativeError, 4), svdBound: null }]);
  expect([told.title, told.features, told.samples]).toEqual(['gaps.csv', 13, 17]);
  expect(told.command).toBe('orthant fit gaps.csv --method nmf --ranks 3 --seed 3 --max-iterations 40 --out model');
  expect(told.notes.join(' ')).toContain(`${gone} of 221 entries are missing`);

  // Other options, the same factors.
  await press(page, 'Save the model (.zip)');
  await saved(folder, 'model.zip');
  await page.locator('.own-options summary').click();
  await page.select('[data-option="solver"]', 'hals');
  await fitEnded(page, () => press(page, 'Go on from these factors'));
  const after = await errorOf();
  expect(after).toBeLessThan(before);
  expect(page.url()).toContain('solver=hals');

  // As code: both fits, one from the other.
  await press(page, 'Copy as code');
  expect(await violations(page), 'the fit as code').toEqual([]);
  const [typescript, command] = await page.$$eval('dialog pre', (parts) => parts.map(({ textContent }) => textContent ?? ''));
  expect(typescript).toContain("await readMatrix('gaps.csv', {})");
  expect(typescript).toMatch(/const model1 = await nmf\(.*\nconst model = await nmf\(.*solver: 'hals',.*start: model1,/s);
  const first = 'npx orthant fit gaps.csv --method nmf --ranks 3 --seed 3 --max-iterations 40';
  expect(command).toBe(`${first} --out model1\n${first} --solver hals --start model1 --out model`);
  await press(page, 'Close');

  // The model of the first fit comes back.
  await choose(page, path.join(folder, 'model.zip'));
  await page.waitForFunction((error) => Number(document.querySelector('.levels td')?.textContent) > error, {}, after);
  expect(await errorOf()).toBe(before);

  expect(complaints).toEqual([]);
  await page.close();
});

test('builds the options of every method from the list, and shows a refusal beside its option', async () => {
  const { page, complaints } = await open('?example=spectra');
  await inShort(page, /120 features/);
  await page.locator('.own-options summary').click();
  for (const { name, options, summary } of methodList()) {
    await page.select('.method select', name);
    const shown = await page.$$eval('.own-options [data-option]', (fields) => fields.map((field) => (field as HTMLElement).dataset.option));
    expect(shown).toEqual(options.filter(({ kind }) => kind !== 'data').map((option) => option.name));
    expect((await textOf(page, '.method .hint')).toLowerCase()).toBe(`${summary}.`.toLowerCase());
    const apart = await textOf(page, '.own-options > .hint');
    for (const option of options) if (option.kind === 'data') expect(apart).toContain(option.name);
  }
  await page.select('.method select', 'deep');
  expect(await page.$eval('[data-option="poolSize"]', (field) => (field as HTMLInputElement).disabled)).toBe(true);
  await page.select('[data-option="pooling"]', 'max');
  expect(await page.$eval('[data-option="poolSize"]', (field) => (field as HTMLInputElement).disabled)).toBe(false);

  await page.select('.method select', 'nmf');
  await page.locator('[data-option="l1A"]').fill('-1');
  await press(page, 'Start');
  await page.waitForSelector('[data-option="l1A"][aria-invalid]');
  expect(await page.evaluate(() => (document.activeElement as HTMLElement).dataset.option)).toBe('l1A');
  expect(await violations(page), 'options open, one refused').toEqual([]);
  const refused = await page.$eval('[data-option="l1A"]', (field) => field.closest('.field')!.querySelector('.field-error')!.textContent);
  const engine = await createEngine();
  await expect(nmf(engine, matrix(2, 2, [1, 1, 1, 1]), { ranks: 1, l1A: -1 })).rejects.toThrow(refused!.replace('“L1 of A”', 'l1A'));
  engine.dispose();
  expect(complaints).toEqual([]);
  await page.close();
});

test('pauses, goes on and stops with the factors so far, and zooms by the keyboard', async () => {
  const { page, complaints, write } = await open('?example=table&tolerance=0&maxIterations=100000&method=nmf&ranks=4');
  await inShort(page, /87 features × 90 samples/);
  await press(page, 'Start');
  await page.waitForFunction(() => Number(document.querySelector('#room .fit-panel dd')?.textContent) > 0);
  expect(await violations(page), 'learning').toEqual([]);
  await press(page, 'Pause');
  await inState(page, 'paused');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Resume');
  expect(await violations(page), 'paused').toEqual([]);
  await page.keyboard.press('Enter');
  await inState(page, 'running');
  await press(page, 'Stop');
  await inState(page, 'ended');
  expect(await textOf(page, '.fit-state')).toMatch(/^Stopped; these are the factors so far/);
  expect(await page.evaluate(() => document.activeElement !== document.body)).toBe(true);

  const map = (await page.$('.read canvas'))!;
  await map.focus();
  const look = () => map.evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
  const frame = () => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await frame();
  const whole = await look();
  for (let times = 0; times < 6; times++) await page.keyboard.press('+');
  await frame();
  expect(await look()).not.toBe(whole);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  const told = await textOf(page, '.read .map-value');
  expect(told).toMatch(/^feature \d+, sample \d+, group \d: [\d.]+$/);
  await page.keyboard.press('0');
  await frame();
  expect(await look()).not.toBe(whole); // the entry stays chosen
  await map.evaluate((canvas) => (canvas as HTMLCanvasElement).blur());

  // A matrix that is too large for the page comes in blocks, and its entries where one looks near.
  const file = matrix(
    600,
    500,
    Array.from({ length: 300_000 }, (_, at) => at),
  );
  await choose(page, await write('wide.npy', encodeNpy(file)));
  await inShort(page, /500 features × 600 samples/);
  await map.focus();
  await page.keyboard.press('ArrowRight');
  const value = () => textOf(page, '.read .map-value');
  expect(await value()).toMatch(/about [\d.]+, the mean of a block$/);
  for (let times = 0; times < 12; times++) await page.keyboard.press('+');
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => !/about/.test(document.querySelector('.read .map-value')?.textContent ?? 'about'));
  const [, feature, sample, entry] = /^feature (\d+), sample (\d+): (\S+)$/.exec(await value())!.map(Number);
  expect(entry).toBe(Number(file.data[(sample - 1) * 500 + feature - 1].toPrecision(4)));
  expect(complaints).toEqual([]);
  await page.close();
});

test('refuses files with the sentences of the command line, and what is too large before it is read', async () => {
  const { page, complaints, write, folder } = await open('', {
    // The size of a file by its name: nobody needs 9 GB on the disk for this.
    before: (page: Page) =>
      page.evaluateOnNewDocument(() => {
        Object.defineProperty(navigator, 'deviceMemory', { value: 8 });
        const { get } = Object.getOwnPropertyDescriptor(Blob.prototype, 'size')!;
        const reading = Blob.prototype.arrayBuffer;
        Object.defineProperty(Blob.prototype, 'size', {
          get() {
            const sizes: Record<string, number> = { 'huge.csv': 9e9, 'large.npz': 1.5e9, 'bytes.npy': 8e8, 'doubles.npy': 1.6e9 };
            return sizes[(this as File).name] ?? get!.call(this);
          },
        });
        Blob.prototype.arrayBuffer = function () {
          if (['huge.csv', 'large.npz', 'bytes.npy'].includes((this as File).name)) throw new Error('was read');
          return reading.call(this);
        };
      }) as unknown as Promise<void>,
  });
  const files = { 'text.foo': 'hi', 'nonsense.npy': 'nonsense', 'letters.csv': 'a,b\n1,2\n3,x\n', 'short.mtx': '%%MatrixMarket matrix' };
  for (const [name, content] of Object.entries(files)) {
    const file = await write(name, content);
    const told = await readMatrix(file).then(
      () => 'read',
      (error: Error) => error.message.replaceAll(`${folder}/`, ''),
    );
    await page.evaluate(() => document.querySelector('.data .complaint')!.replaceChildren());
    await choose(page, file);
    expect(await complaint(page)).toBe(
      // Options stand under the titles of their fields.
      told
        .replace('say header: true', 'set “Header” to yes')
        .replace('say names: true', 'set “Names” to yes')
        .replace('skipColumns', '“Skip columns”'),
    );
  }
  // What the sentence on a table speaks of is there, and helps.
  await choose(page, path.join(folder, 'letters.csv'));
  expect(await complaint(page)).toContain('leave the column out: “Skip columns” "b"');
  const skip = await page.waitForSelector('.data [data-option="skipColumns"]', { visible: true });
  await skip!.type('b');
  await press(page, 'Read again');
  await inShort(page, /1 features × 2 samples/);
  await page.locator('.read [data-option="skipColumns"]').fill('');
  for (const [name, size] of [
    ['huge.csv', '9.0 GB'],
    ['large.npz', '1.5 GB'],
  ]) {
    await page.evaluate(() => document.querySelector('.data .complaint')!.replaceChildren());
    await choose(page, await write(name, '1'));
    expect(await complaint(page)).toMatch(new RegExp(`^${name} has ${size}.* Cut it into parts`));
  }
  // The header says more than the size: 8e8 bytes are as many entries, which take 12 bytes each while they are fitted; 1.6e9 bytes of
  // doubles are 2e8 entries, for which there is room, so that this file is read and turns out to be cut off.
  const header = (dtype: string, shape: string) =>
    `\x93NUMPY\x01\0\x76\0${`{'descr': '${dtype}', 'shape': (${shape}), 'fortran_order': False}`.padEnd(117)}\n`;
  const told = async (name: string, content: string) => {
    await page.evaluate(() => document.querySelector('.data .complaint')!.replaceChildren());
    await choose(page, await write(name, Buffer.from(content, 'latin1')));
    return complaint(page);
  };
  expect(await told('bytes.npy', header('|u1', '40000, 20000'))).toBe(
    'bytes.npy has 800 MB, a matrix of 40,000×20,000, and would need about 10 GB of memory, more than the 4.3 GB that this browser can give it. Cut it into parts, or use the command line.',
  );
  expect(await told('doubles.npy', header('<f8', '20000, 10000'))).toMatch(/^doubles\.npy: The \.npy file is cut off/);
  const limit = await page.evaluate(async () => {
    const { limits } = (await navigator.gpu.requestAdapter())!;
    return Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  });
  const entries = Math.ceil(limit / 16);
  expect(await told('entries.mtx', `%%MatrixMarket matrix coordinate real general\n% a comment\n9 9 ${entries}\n1 1 1\n`)).toContain(
    `entries.mtx has ${entries.toLocaleString('en')} stored entries, which take ${Math.ceil((16 * entries + 8 * 18) / 1e6)} MB on the GPU`.replace(
      /\d{4,} MB/,
      (mb) => `${(Number.parseInt(mb, 10) / 1000).toPrecision(2)} GB`,
    ),
  );

  await page.evaluate(() => document.querySelector('.data .complaint')!.replaceChildren());
  await choose(page, await write('broken.jpg', Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70])));
  expect(await complaint(page)).toBe(
    'broken.jpg is a damaged picture, or of a kind that this browser cannot read; save it as PNG or JPEG.',
  );
  expect(await violations(page), 'a refused file').toEqual([]);
  await choose(page, await write('negative.csv', '1,2\n3,-1\n'));
  await inShort(page, /2 features × 2 samples/);
  await page.locator('[data-option="ranks"]').fill('1');
  await press(page, 'Start');
  await inState(page, 'failed');
  expect(await violations(page), 'a refused fit').toEqual([]);
  expect(await textOf(page, '#room .fit-panel .complaint')).toBe(
    'negative.csv: row 2, column 2 is -1, but every entry must be ≥ 0; shift or clip the data first.',
  );
  expect(complaints).toEqual([]);
  await page.close();
});

test('surveys the ranks of a small matrix as the library does, and takes the chosen one', async () => {
  const { page, complaints, write } = await open('');
  const X = randomLowRank(12, 14, 2, { seed: 8, noise: 0.02 });
  const rows = Array.from({ length: X.rows }, (_, i) => Array.from(X.data.subarray(i * X.cols, (i + 1) * X.cols)).join(','));
  await choose(page, await write('small.csv', `${rows.join('\n')}\n`));
  await inShort(page, /14 features × 12 samples/);
  await page.locator('.reading-form summary').click();
  await page.select('[data-option="samples"]', 'columns');
  await press(page, 'Read again');
  await inShort(page, /12 features × 14 samples/);
  expect(page.url()).toContain('read.samples=columns');
  await page.locator('.survey > summary').click();
  await page.locator('.survey .controls label:nth-child(1) input').fill('1');
  await page.locator('.survey .controls label:nth-child(2) input').fill('3');
  await page.locator('.survey > details summary').click();
  await page.locator('.survey [data-option="restarts"]').fill('4');
  await page.locator('.survey [data-option="masks"]').fill('2');
  await press(page, 'Survey the ranks');
  await page.waitForSelector('.survey .fit-panel[data-state="ended"]');
  const engine = await createEngine();
  const { chosen, results } = await chooseRank(engine, X, { ranks: [1, 2, 3], restarts: 4, masks: 2 });
  engine.dispose();
  expect(await textOf(page, '.survey .reason')).toMatch(new RegExp(`^Rank ${chosen} `));
  await page.locator('.survey .outcome details summary').click();
  expect(await violations(page), 'a survey').toEqual([]);
  const numbers = await page.$$eval('.survey tbody tr', (lines) =>
    lines.map((line) => [...line.children].map(({ textContent }) => textContent ?? '')),
  );
  for (const [i, { rank, relativeError, heldOut }] of results.entries()) {
    expect(numbers[i][0]).toBe(rank === chosen ? `${rank}, chosen` : String(rank));
    expect(Number(numbers[i][1])).toBeCloseTo(heldOut!.error, 2);
    expect(Number(numbers[i][2])).toBeCloseTo(relativeError, 2);
  }
  // On a phone the table scrolls, not the page.
  const viewport = page.viewport()!;
  await page.setViewport({ ...viewport, width: 375 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(375);
  await page.setViewport(viewport);
  await press(page, `Take rank ${chosen}`);
  expect(await page.$eval('[data-option="ranks"]', (field) => (field as HTMLInputElement).value)).toBe(String(chosen));

  // One that takes longer is stopped.
  await page.locator('.survey [data-option="restarts"]').fill('60');
  await press(page, 'Survey the ranks');
  await page.waitForSelector('.survey .fit-panel[data-state="running"]');
  await page.locator('.survey .fit-panel .buttons button:nth-child(2)').click();
  await page.waitForSelector('.survey .fit-panel[data-state="ended"]');

  // The file is kept because the person asks for it, and comes back after a reload.
  await page.locator('.keep input').click();
  await page.waitForFunction(() => /^Kept/.test(document.querySelector('.keep [role=status]')!.textContent ?? ''));
  await page.reload();
  await press(page, 'Open');
  await inShort(page, /12 features × 14 samples/);
  expect(complaints).toEqual([]);
  await page.close();
});

test('pictures become columns and parts, one picture patches, a sound a spectrogram', async () => {
  const { page, complaints, write, folder } = await open('');
  const shape = (width: number, height: number, white: (x: number, y: number) => boolean) =>
    encodePng(
      Float32Array.from({ length: width * height }, (_, at) => Number(white(at % width, Math.floor(at / width)))),
      { width, height, channels: 1 },
    );
  const halves = [
    await write('left.png', await shape(6, 5, (x) => x < 3)),
    await write('right.png', await shape(6, 5, (x) => x >= 3)),
    await write('all.png', await shape(6, 5, () => true)),
    await write('large.png', await shape(60, 50, (x) => x < 30)),
  ];
  await choose(page, ...halves);
  await inShort(page, /30 features × 4 samples/);
  await page.locator('[data-option="ranks"]').fill('2');
  await page.locator('[data-option="seed"]').fill('1');
  await press(page, 'Start');
  await inState(page, 'ended');
  await page.waitForFunction(() => {
    const canvases = document.querySelectorAll<HTMLCanvasElement>('.parts canvas');
    return canvases.length === 2 && canvases[1].width === 6;
  });
  const parts = await page.$$eval('.parts canvas', (canvases) =>
    canvases.map((canvas) => {
      const { width, height } = canvas as HTMLCanvasElement;
      const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height);
      return { width, height, left: data[0], right: data[4 * (width - 1)] };
    }),
  );
  expect(parts.map(({ width, height }) => [width, height])).toEqual([
    [6, 5],
    [6, 5],
  ]);
  expect(await violations(page), 'parts as images').toEqual([]);
  // The halves are the only two nonnegative parts of their sums; each is on one side alone.
  expect(parts.map(({ left, right }) => Number(left > 250 && right < 5) - Number(right > 250 && left < 5)).sort()).toEqual([-1, 1]);

  // JPEG, as a camera saves it; the browser of the test makes it.
  const jpeg = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(32, 24);
    const context = canvas.getContext('2d')!;
    context.fillStyle = '#808080';
    context.fillRect(0, 0, 32, 24);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg' })).arrayBuffer());
    return [...bytes];
  });
  expect(jpeg.slice(0, 2)).toEqual([0xff, 0xd8]);
  await choose(page, await write('grey.jpg', Uint8Array.from(jpeg)));
  // 8×8 patches, 4 apart: 7 × 5 of them, all of the same grey, 128 of 255.
  expect(await inShort(page, /64 features × 35 samples/)).toMatch(/from 0 to 0\.50\d*\.$|from 0\.50\d* to 0\.50\d*\.$/);

  await choose(page, await write('picture.png', await shape(40, 24, (x, y) => (x + y) % 7 < 3)));
  await inShort(page, /64 features × 45 samples/);

  await choose(page, await write('tone.wav', tone()));
  await inShort(page, /513 features/);
  await press(page, 'Save the matrix (.npy)');
  const spectrogram = decodeNpy(await saved(folder, 'tone.npy'));
  const middle = Math.floor(spectrogram.cols / 2);
  const column = Array.from({ length: spectrogram.rows }, (_, i) => spectrogram.data[i * spectrogram.cols + middle]);
  expect(column.indexOf(Math.max(...column))).toBe(Math.round((1000 * 1024) / 22050));
  // The Hann window of a sinusoid has its mainlobe of 4 bins, and nothing else.
  const [peak, all] = [46, 513].map((bins) =>
    column.slice(bins === 46 ? 44 : 0, bins === 46 ? 50 : 513).reduce((sum, x) => sum + x * x, 0),
  );
  expect(peak / all).toBeGreaterThan(0.99);
  await page.locator('[data-option="ranks"]').fill('1');
  await fitEnded(page, () => press(page, 'Start'));
  await page.waitForSelector('.parts[data-kind="spectra"] canvas');
  expect(await violations(page), 'parts as spectra').toEqual([]);
  expect(await page.$$eval('.parts canvas', (canvases) => canvases.map((canvas) => canvas.getAttribute('aria-label')))).toEqual([
    'Spectrum of part 1',
    'Activation of part 1',
  ]);
  expect(complaints).toEqual([]);
  await page.close();
});
