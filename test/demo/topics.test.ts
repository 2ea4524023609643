/** The room of topics in the built page: from a drop to files, by keyboard and pointer. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { unzipSync } from 'fflate';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { modelFromFiles } from 'orthant';
import { englishStopWords, parseJsonLines, termDocumentMatrix } from 'orthant/text';
import type { Page } from 'puppeteer';
import { afterAll, expect, test } from 'vitest';
import { violations } from './axe.js';
import { type Built, builtPage, inState, textOf, type Visit, visit } from './built.js';
import { corpus, wordsOf } from './planted.js';

/** Started by the first test and not in a `beforeAll`, whose failure would make vitest skip every test instead of failing it. */
let starting: Promise<Built> | undefined;
let folder: string | undefined;

afterAll(async () => {
  await (await starting?.catch(() => undefined))?.close();
  if (folder) await rm(folder, { recursive: true });
});

async function open(hash: string, width?: number): Promise<Visit> {
  starting ??= builtPage();
  return visit(await starting, { hash, width });
}

async function fileOf(name: string, content: string | Buffer): Promise<string> {
  folder ??= await mkdtemp(path.join(tmpdir(), 'orthant-topics-'));
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

/** Drops files as a person does. */
async function drop(page: Page, ...files: string[]): Promise<void> {
  await page.waitForSelector('.topics .drop');
  await page.evaluate(() => document.querySelector('.topics .drop')!.scrollIntoView({ block: 'center' }));
  const { x, y } = (await page.$eval('.topics .drop', (zone) => {
    const { left, top } = zone.getBoundingClientRect();
    return { x: left + 20, y: top + 8 };
  }))!;
  const session = await page.createCDPSession();
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await session.send('Input.dispatchDragEvent', { type, x, y, data: { items: [], files, dragOperationsMask: 1 } });
  await session.detach();
}

const button = (page: Page, text: string) =>
  page.locator(`::-p-xpath(//*[contains(@class,'topics')]//button[normalize-space()='${text}'])`);

/** Lowest first, the titles that stand in the tree. */
const titles = (page: Page) => page.$$eval('.topics .row .title', (rows) => rows.map((row) => row.textContent ?? ''));
const focused = (page: Page) => page.evaluate(() => document.activeElement?.className ?? '');
const ranksShown = (page: Page) => page.$$eval('.topics .ranks input', (inputs) => inputs.map((input) => Number(input.value)));

async function saved(page: Page, name: string, press: string): Promise<Buffer> {
  const session = await page.createCDPSession();
  const target = await mkdtemp(path.join(folder!, 'saved-'));
  await session.send('Page.setDownloadBehavior' as never, { behavior: 'allow', downloadPath: target } as never);
  await button(page, press).click();
  for (;;) {
    const files = await readdir(target);
    if (files.includes(name)) return readFile(path.join(target, name));
    const complaint = await page.$eval('.topics .save-part .complaint', (one) => one.textContent);
    if (complaint) throw new Error(complaint);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const lines = corpus.map(({ name, text, topic, year }) => JSON.stringify({ name, text, kind: topic, date: String(year) })).join('\n');

test('from a drop to the tree, names, divisions, merging, and files that come back', async () => {
  const { page, complaints } = await open('#/topics?restarts=2&iterations=60');
  await drop(page, await fileOf('planted.jsonl', lines));
  await page.waitForSelector('.topics .facts dd');
  const documents = parseJsonLines(lines, 'planted.jsonl');
  const { terms } = termDocumentMatrix(documents, { language: 'en', stopWords: englishStopWords, maxTerms: 1500 });
  expect(await page.$$eval('.topics .facts dd', (facts) => facts.map((fact) => fact.textContent))).toEqual([
    String(terms.length),
    '60',
    'English, detected',
  ]);
  // The largest vocabulary is shown before anything is learned.
  await page.locator('.topics [name=maxTerms]').fill('30');
  await page.waitForFunction(() => document.querySelector('.topics .facts dd')?.textContent === '30');
  expect(await textOf(page, '.topics .left-out')).toContain(`${terms.length - 30} beyond the 30 heaviest`);
  await page.locator('.topics [name=maxTerms]').fill('');

  // 20 → 8 → 3 becomes 6 → 3.
  await page.locator('.topics [aria-label="Remove level 2"]').click();
  await page.locator('.topics [aria-label="Topics of level 1"]').fill('6');
  expect(await ranksShown(page)).toEqual([6, 3]);
  expect(page.url()).toContain('ranks=6,3');
  await page.focus('.topics .fit-panel .primary');
  await page.keyboard.press('Enter');
  await inState(page, 'ended');
  expect(await titles(page)).toHaveLength(9);

  // Every topic of the lowest level is one of the corpus.
  const words = await page.$$eval('.topics .row.level-0', (rows) =>
    rows.map((row) => row.querySelector('.text')!.textContent!.replaceAll('·', ' ')),
  );
  const planted = new Set(corpus.map(({ topic }) => topic));
  for (const row of words) {
    const heaviest = row.match(/[a-z]+/g)!;
    const own = [...planted].filter((topic) => heaviest.filter((word) => wordsOf(topic).includes(word)).length >= 6);
    expect(own.length, row).toBeGreaterThanOrEqual(1);
    planted.delete(own[0]);
  }
  expect([...planted]).toEqual([]);
  const shares = await page.$$eval('.topics .row.level-1 .share', (all) => all.map((one) => Number.parseFloat(one.textContent!)));
  expect(Math.abs(shares.reduce((a, b) => a + b, 0) - 100)).toBeLessThan(2);

  // Arrow keys walk; the topic follows.
  await page.focus('.topics .row[tabindex="0"]');
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  const [, child] = await titles(page);
  await page.waitForFunction((title) => document.querySelector('.topics .topic h2')?.textContent === title, {}, child);
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  expect(await page.$$eval('.topics .row', (rows) => rows[0].getAttribute('aria-expanded'))).toBe('false');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  expect(await page.$eval('.topics .topic', (topic) => topic.textContent)).toMatch(/Over time/);
  await page.waitForSelector('.topics .word-table tbody tr');
  await page.waitForSelector('.topics .excerpt mark');

  // A name, by keyboard.
  await button(page, 'Rename').click();
  await page.keyboard.type('My topic');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('.topics .topic h2')?.textContent === 'My topic');
  expect((await titles(page))[1]).toBe('My topic');

  // Divided, it has two topics below it; the others stay.
  const before = await titles(page);
  await page.locator('.topics [aria-label="Number of parts"]').fill('2');
  await button(page, 'Divide').click();
  await page.waitForFunction(() => document.querySelectorAll('.topics .row').length === 11);
  await inState(page, 'ended');
  expect(await ranksShown(page)).toEqual([7, 6, 3]);
  const after = await titles(page);
  // As large as each other, some may change places.
  expect(after).toEqual(expect.arrayContaining(before));
  expect(await focused(page)).toContain('row');

  // Two topics of the middle level are merged, and learning goes on.
  await page.waitForFunction(() => document.querySelector('.topics .topic h2')?.textContent === 'My topic');
  await button(page, 'Merge').click();
  await page.waitForFunction(
    () =>
      document.querySelectorAll('.topics .ranks input').length === 3 &&
      document.querySelectorAll<HTMLInputElement>('.topics .ranks input')[1].value === '5',
  );
  await inState(page, 'ended');
  expect(await ranksShown(page)).toEqual([7, 5, 3]);
  expect(await titles(page)).toContain('My topic');

  // It goes on from there with one level less.
  await page.locator('.topics [aria-label="Remove level 3"]').click();
  await button(page, 'Go on from here').click();
  await page.waitForFunction(() => document.querySelectorAll('.topics .row.level-2').length === 0);
  await inState(page, 'ended');
  expect(await titles(page)).toContain('My topic');

  // Search.
  await page.locator('.topics input[type=search]').fill('anchor');
  await page.waitForSelector('.topics .found .document');
  expect(await textOf(page, '.topics .found')).toMatch(/sailing \d/);
  await page.locator('.topics input[type=search]').fill('');

  // Files.
  const zip = await saved(page, 'planted-model.zip', 'Model');
  const files = unzipSync(zip);
  const model = await modelFromFiles(async (name) => files[name]);
  expect(model.ranks).toEqual([7, 5]);
  expect(model.text?.terms).toEqual(terms);
  expect(model.samples).toEqual(corpus.map(({ name }) => name));
  const report = (await saved(page, 'planted.html', 'Report')).toString();
  expect(report).toContain('My topic');
  const table = (await saved(page, 'planted-topics.csv', 'Topics as CSV')).toString();
  expect(table.trim().split('\r\n')).toHaveLength(13);
  expect(table).toContain('My topic');
  const all = (await saved(page, 'planted-documents.csv', 'Documents as CSV')).toString().trim().split('\r\n');
  expect(all).toHaveLength(61);
  const row = all[1].split(',').slice(3).map(Number);
  expect(Math.abs(row.reduce((a, b) => a + b, 0) - 2)).toBeLessThan(1e-4); // one for each level
  const json = JSON.parse((await saved(page, 'planted.json', 'JSON')).toString());
  expect(json.layers.map(({ relativeError }: { relativeError: number }) => relativeError)).toEqual(
    model.layers.map(({ relativeError }) => relativeError),
  );
  await button(page, 'Copy as code').click();
  expect(await textOf(page, 'dialog.code')).toContain('orthant topics planted.jsonl --ranks 7,5 --restarts 2 --max-iterations 60');
  await page.keyboard.press('Escape');
  const shown = await titles(page);
  expect(complaints).toEqual([]);
  await page.close();

  // The model comes back with its names.
  const again = await open('#/topics');
  const file = path.join(folder!, 'back.zip');
  await writeFile(file, zip);
  await drop(again.page, file);
  await again.page.waitForSelector('.topics .row');
  expect(await titles(again.page)).toEqual(shown);
  const merging = () => again.page.$eval('.topics .change button:last-of-type', (one) => (one as HTMLButtonElement).disabled);
  await again.page.waitForSelector('.topics .change button');
  expect(await merging()).toBe(true);
  // With its documents it can be changed.
  await button(again.page, 'Other documents').click();
  await drop(again.page, path.join(folder!, 'planted.jsonl'));
  await again.page.waitForFunction(() => document.querySelector<HTMLButtonElement>('.topics .change button')?.disabled === false);
  expect(await titles(again.page)).toEqual(shown);
  expect(await merging()).toBe(false);
  await again.page.waitForSelector('.topics .excerpt mark');
  expect(again.complaints).toEqual([]);
  await again.page.close();
});

test('files that are no corpus, a table without a column text, pasted text', async () => {
  const { page, complaints } = await open('#/topics');
  await drop(page, await fileOf('photo.png', 'not a picture'));
  await page.waitForSelector('.topics .drop .complaint:not([hidden])');
  expect(await textOf(page, '.topics .drop .complaint')).toMatch(
    /^The file 'photo\.png' cannot be read as a corpus\. Give a folder of \.txt or \.md files;/,
  );
  const told = () => textOf(page, '.topics .drop .complaint');
  for (const [name, sentence] of Object.entries({
    'empty.txt': 'empty.txt has no line with a text; a corpus needs one document a line.',
    'empty.csv': "The file 'empty.csv' is empty.",
    'empty.jsonl': "The file 'empty.jsonl' is empty.",
  })) {
    await drop(page, await fileOf(name, ''));
    await page.waitForFunction((wanted) => document.querySelector('.topics .drop .complaint')?.textContent?.includes(wanted), {}, name);
    expect(await told()).toBe(sentence);
  }
  const table = corpus.map(({ text, topic }) => `"${text}",${topic}`).join('\n');
  await drop(page, await fileOf('mails.csv', `body,kind\n${table}\n`));
  await page.waitForFunction(() => /no field "text"/.test(document.querySelector('.topics .drop .complaint')?.textContent ?? ''));
  expect(await textOf(page, '.topics .drop .complaint')).toBe('mails.csv has no field "text". It has "body" and "kind": choose one.');
  await page.waitForSelector('.topics [data-field=textField] option[value=body]');
  await page.select('.topics [data-field=textField]', 'body');
  await page.waitForSelector('.topics .facts dd');
  expect(await textOf(page, '.topics .opened')).toContain('60 documents');
  await page.locator('.topics [name=stem]').click();
  await page.waitForFunction(() => /\brecip\b/.test(document.querySelector('.topics .terms')?.textContent ?? ''));
  await page.locator('.topics [name=minDocuments]').fill('61');
  await page.waitForSelector('.topics .fields .complaint:not([hidden])');
  expect(await textOf(page, '.topics .fields .complaint')).toMatch(
    /is in at least 61 and at most 30 of the 60 documents; lower “In at least” or raise “In at most”\.$/,
  );
  await page.locator('.topics [name=minDocuments]').fill('');
  await button(page, 'Other documents').click();
  const columns = [
    { name: 'text', data: corpus.map(({ text }) => text), type: 'STRING' as const },
    { name: 'year', data: Int32Array.from(corpus, ({ year }) => year), type: 'INT32' as const },
  ];
  await drop(page, await fileOf('years.parquet', Buffer.from(parquetWriteBuffer({ columnData: columns as never }))));
  await page.waitForFunction(() => /^years: 60/.test(document.querySelector('.topics .opened')?.textContent ?? ''));
  expect(await page.$eval('.topics [data-field=dateField]', (select) => (select as HTMLSelectElement).value)).toBe('year');
  await page.locator('.topics .check input[name=stem]').click();
  // What is wrong with other files is seen, though the place for them is folded away, and the documents stay.
  const seen = () => page.$eval('.topics .drop .complaint', (complaint) => (complaint.checkVisibility() ? complaint.textContent : ''));
  const body = () => page.evaluate(() => document.activeElement === document.body);
  await page.focus('.topics .fit-panel .primary');
  for (const [name, content, sentence] of [
    ['letter.docx', 'nothing', /^The file 'letter\.docx' cannot be read as a corpus/],
    ['other.csv', 'body,kind\na,b\n', /^other\.csv has no field "text"\. It has "body" and "kind": choose one\.$/],
    ['notext.jsonl', '{"a":"b"}\n', /^notext\.jsonl: line 1 must be an object/],
  ] as const) {
    await drop(page, await fileOf(name, content));
    await page.waitForFunction((wanted) => document.querySelector('.topics .drop .complaint')?.textContent?.includes(wanted), {}, name);
    expect(await seen()).toMatch(sentence);
    expect(await textOf(page, '.topics .opened')).toMatch(/^years: 60/);
    expect(await page.$eval('.topics .setup', (setup) => setup.checkVisibility())).toBe(true);
    expect(await body()).toBe(false);
  }
  await drop(page, path.join(folder!, 'mails.csv'));
  // Not those of the table before.
  await page.waitForSelector('.topics [data-field=textField] option[value=body]');
  await page.select('.topics [data-field=textField]', 'body');
  await page.waitForFunction(() => /^mails: 60/.test(document.querySelector('.topics .opened')?.textContent ?? ''));
  // Kept only when asked, and offered at the next visit.
  await page.locator('.topics .documents .check input').click();
  await page.waitForFunction(async () => (await indexedDB.databases()).length > 0);
  for (const choice of ['Open', 'Forget']) {
    await page.reload();
    await page.waitForSelector('.topics .kept:not([hidden])');
    expect(await textOf(page, '.topics .kept')).toContain('mails.csv');
    await page.$$eval('.topics .kept button', (all, text) => all.find((one) => one.textContent === text)!.focus(), choice);
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector<HTMLElement>('.topics .kept')?.hidden);
    if (choice === 'Open') await page.waitForSelector('.topics [data-field=textField] option[value=body]');
    expect(await body()).toBe(false);
  }
  // Bytes that are no UTF-8.
  await drop(page, await fileOf('lines.txt', Buffer.from('caf\xe9 au lait\ncaf\xe9 noir\nth\xe9\n', 'latin1')));
  await page.waitForFunction(() => /not UTF-8/.test(document.querySelector('.topics .drop .complaint')?.textContent ?? ''));
  await page.locator('.topics .documents label:not([hidden]) input:not([type])').fill('windows-1252');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => /3 documents/.test(document.querySelector('.topics .opened')?.textContent ?? ''));
  await page.waitForFunction(() => /café/.test(document.querySelector('.topics .effect')?.textContent ?? ''));
  await button(page, 'Other documents').click();
  await button(page, 'Paste text').click();
  await page.keyboard.type('bread and butter\nsoup and bread\nsoup\nbroth\n');
  await button(page, 'Read the text').click();
  await page.waitForFunction(() => /4 documents/.test(document.querySelector('.topics .opened')?.textContent ?? ''));
  // More topics than there are documents: the fit says so, beside its buttons.
  await page.waitForFunction(() => document.querySelectorAll('.topics .facts dd')[1]?.textContent === '4');
  await button(page, 'Start').click();
  await page.waitForSelector('.topics .fit-panel .complaint:not([hidden])');
  expect(await textOf(page, '.topics .fit-panel .complaint')).toBe('Rank 20 is more than a 4×4 matrix can use; choose at most 4.');
  expect(complaints).toEqual([]);
  await page.close();
});

test('paused, resumed and stopped; nothing for axe to say, wide and narrow', async () => {
  const { page, complaints } = await open('#/topics?ranks=6,3&tolerance=0&iterations=100000&restarts=1', 375);
  await drop(page, await fileOf('planted.jsonl', lines));
  await page.waitForFunction(() => /terms of 60/.test(document.querySelector('.topics .summary-fact')?.textContent ?? ''));
  await button(page, 'Start').click();
  await page.waitForSelector('.topics .row');
  await button(page, 'Pause').click();
  await inState(page, 'paused');
  await button(page, 'Resume').click();
  await inState(page, 'running');
  await button(page, 'Stop').click();
  await inState(page, 'ended');
  expect(await textOf(page, '.topics .fit-state')).toBe('Stopped, with the topics that it had then.');
  await page.waitForSelector('.topics .word-table tbody tr');
  expect(await page.evaluate(() => document.activeElement === document.body)).toBe(false);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(375);
  expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeLessThan(3 * 812);
  expect(await violations(page)).toEqual([]);

  // A fit that goes on from a named topic shows the name all along. Meanwhile no name is given, and nothing is saved.
  await button(page, 'Rename').click();
  await page.keyboard.type('Mine');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('.topics .topic h2')?.textContent === 'Mine');
  await page.evaluate(() => {
    for (const title of document.querySelectorAll('.topics .row .title')) title.textContent += ' as before';
  });
  await button(page, 'Go on from here').click();
  await page.waitForFunction(
    () => document.querySelector('.topics .row .title') && !/as before/.test(document.querySelector('.topics .tree')!.textContent!),
  );
  expect(await titles(page)).toContain('Mine');
  expect(await page.$eval('.topics .heading > button', (rename) => (rename as HTMLButtonElement).disabled)).toBe(true);
  await button(page, 'JSON').click();
  await page.waitForSelector('.topics .save-part .complaint:not([hidden])');
  expect(await textOf(page, '.topics .save-part .complaint')).toBe(
    'The tree on the screen still learns; wait for the end of the fit, or stop it.',
  );
  await button(page, 'Stop').click();
  await inState(page, 'ended');
  expect(await titles(page)).toContain('Mine');
  expect(await page.$eval('.topics .heading > button', (rename) => (rename as HTMLButtonElement).disabled)).toBe(false);

  // Still a phone by its kind, for another kind would be a reload, which loses the tree.
  await page.setViewport({ width: 1280, height: 900, isMobile: true, hasTouch: true });
  expect(await titles(page)).toHaveLength(9);
  await page.evaluate(() => {
    for (const one of document.querySelectorAll<HTMLDetailsElement>('.topics details')) one.open = true;
  });
  expect(await violations(page)).toEqual([]);
  expect(complaints).toEqual([]);
  await page.close();
});
