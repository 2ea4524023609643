/** The page of a tensor in headless Chrome: what it shows, and that nothing in it runs or is requested. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { reportParts } from '../../src/report/parts.js';
import { tensorReportPage } from '../../src/report/tensor-page.js';
import { hierarchyOf, tensorNames, tensorTopics } from '../../src/topics/tensor.js';
import { launchChrome, newPage } from '../support/chrome.js';

const hostile = '<script>document.title = "run"</script>';
const shape = [2, 3];
const levels = [
  { rank: 2, relativeError: 0.1, modeBound: 0.05, tuckerError: 0.08 },
  { rank: 1, relativeError: 0.5, modeBound: null, tuckerError: null },
];
const hierarchy = hierarchyOf({
  shape,
  levels,
  factors: [matrix(2, 2, [3, 0, 1, 2]), matrix(3, 2, [1, 0, 1, 1, 0, 3])],
  A: [[matrix(2, 1, [1, 3])], [matrix(3, 1, [2, 1, 1])]],
  S: [[matrix(1, 2, [1, 2])], [matrix(1, 2, [1, 1])]],
});

test('the page has errors, topics and flows, and runs nothing', async () => {
  const history = [0, 5, 10].map((iteration) => ({ stage: 'all levels', iteration, relativeError: 1 / (1 + iteration) }));
  const page = tensorReportPage(
    {
      title: hostile,
      method: 'neural',
      summary: 'a line',
      rank: 2,
      ranks: [1],
      topics: tensorTopics(hierarchy, 5),
      names: tensorNames(shape, [{ name: 'docs', entries: [hostile, 'b'] }, {}]),
      model: { history, restartErrors: [0.5], restart: 0 },
      facts: [['time', '1 s']],
      settings: { rank: 2 },
      origin: [['orthant', '0']],
      command: 'orthant tensor x.npy',
      notes: ['A note.'],
    },
    await reportParts(),
  );
  const folder = await mkdtemp(path.join(tmpdir(), 'orthant-tensor-'));
  const browser = await launchChrome();
  try {
    const file = path.join(folder, 'report.html');
    await writeFile(file, page);
    const opened = await newPage(browser);
    const complaints: string[] = [];
    opened.on('pageerror', (error) => complaints.push(String(error)));
    opened.on('console', (message) => complaints.push(message.text()));
    opened.on('request', (request) => request.url().startsWith('http') && complaints.push(request.url()));
    await opened.goto(pathToFileURL(file).href);
    const texts = (selector: string) => opened.$$eval(selector, (found) => found.map(({ textContent }) => textContent));
    expect(await opened.title()).toBe(`${hostile}: a report of orthant`);
    expect(await texts('h2')).toEqual([
      'Errors',
      'Level 1: 1 topic',
      'Level 0: 2 outer products',
      'From level to level',
      'How it was made',
    ]);
    expect(await texts('#errors-title ~ .charts tbody tr:first-child td.number')).toEqual([
      '0',
      '2',
      '0.10000',
      '0.08000',
      '0.05000',
      '1.2500',
    ]);
    // The first column of F₀ is 3 and 1; the columns of S⁰ are all of the one topic.
    const first = '[aria-labelledby="level-0"] h3 + .tables table:first-of-type';
    expect((await texts(`${first} tbody tr`)).slice(0, 2)).toEqual([`${hostile}75 %`, 'b25 %']);
    expect(await texts('[aria-labelledby="flows-title"] tbody td')).toEqual(['100', '100', '100', '100']);
    const bars = await opened.$$eval(`${first} rect`, (found) => found.map((bar) => bar.getBoundingClientRect().width));
    expect(bars.slice(0, 2)).toEqual([90, 30]);
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  }
});
