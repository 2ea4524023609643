/** The data: where they come in, how they are read, and what was read. */
import { transfer } from 'comlink';
import { el } from '../../page/dom.js';
import { dropZone, type Given } from '../../page/drop.js';
import { type HeatMap, heatMap } from '../../page/heat-map.js';
import { sentenceOf } from '../../page/notices.js';
import { openDevice, work } from '../../page/session.js';
import { forget, keep, kept } from '../../page/store.js';
import type { Facts } from '../../work/matrix.js';
import type { Source } from '../../work/matrix-read.js';
import { type Example, examples } from './examples.js';
import { close, fold } from './fold.js';
import { accepted, isAudio, isModel, isPicture, isTable } from './kinds.js';
import { tooLarge } from './limits.js';
import { namesOf } from './names.js';
import { type ReadingForm, readingForm } from './reading-form.js';
import { decodeSound } from './sound.js';
import { inFields } from './wording.js';

export interface DataPanel {
  element: HTMLElement;
  reading: ReadingForm;
  readonly facts: Facts | undefined;
  /** The example that is open; undefined for files. */
  readonly example: string | undefined;
  open(example: string): Promise<void>;
  complain(message: string): void;
}

export interface DataPanelOptions {
  onRead: (facts: Facts, example?: Example) => void;
  /** Takes the archive of a model. */
  onModel: (file: File) => Promise<void>;
  /** Throws where data cannot be taken now. */
  check: () => void;
}

const room = 'matrix';
const keptForNext = 'Kept for the next visit.';

export function dataPanel({ onRead, onModel, check }: DataPanelOptions): DataPanel {
  let facts: Facts | undefined;
  let example: Example | undefined;
  let files: readonly Given[] = [];

  const drop = dropZone({
    invitation: 'Drop a matrix, several pictures, one picture to be cut into patches, a sound, or a model.',
    accept: accepted,
    onFiles: take,
  });
  drop.element.insertBefore(
    el(
      'p',
      { class: 'hint' },
      'CSV, TSV, .npy, .npz, .mtx, .parquet, .json, .arrow, .h5ad, also .gz; PNG and JPEG; audio; .zip of a model.',
    ),
    drop.element.querySelector('.buttons'),
  );
  const cards = examples.map((one) =>
    el(
      'li',
      {},
      el(
        'button',
        { type: 'button', class: 'example', 'data-example': one.name, onclick: () => void attempt(() => openExample(one)) },
        el('strong', {}, one.title),
        el('span', {}, one.words),
      ),
    ),
  );
  const keepBox = el('input', { type: 'checkbox', onchange: () => void keepOrForget() });
  const keepText = el('span', { role: 'status' });
  const keeping = el('div', { class: 'keep', hidden: true }, el('label', {}, keepBox, 'Keep these files in this browser'), keepText);
  const keptPlace = el('p', { class: 'kept', hidden: true });
  /** A table that could not be read as it was asked for. */
  let refused: Source | undefined;
  const reading = readingForm(() => void attempt(() => readFrom(refused)));
  const map: HeatMap = heatMap({ label: 'The data X' });
  const numbers = el('dl', { class: 'facts' });
  const title = el('h2', { tabindex: -1 });
  const notes = el('ul', { class: 'notes' });
  const inShort = el('p', { class: 'in-short' });
  const summary = el(
    'div',
    { class: 'read', hidden: true },
    el('div', {}, title, inShort, fold('More about the data', 'about', numbers, notes), reading.element, keeping),
    map.element,
  );
  const sources = fold(
    'Choose data',
    'sources-fold',
    el(
      'div',
      { class: 'sources' },
      drop.element,
      el('div', {}, el('h2', {}, 'Or take an example'), el('ul', { class: 'examples' }, ...cards), keptPlace),
    ),
  );
  sources.open = true;
  const element = el('section', { class: 'data', 'aria-label': 'Data' }, sources, summary);

  async function attempt(act: () => Promise<void>): Promise<void> {
    drop.complain('');
    try {
      check();
      await act();
    } catch (error) {
      const { option } = error as { option?: string };
      if (!reading.refuse(sentenceOf(error), option)) drop.complain(sentenceOf(error));
    }
  }

  async function take(given: readonly Given[]): Promise<void> {
    check();
    const device = await openDevice().catch(() => undefined); // the page says so
    const { side = 64 } = reading.reading();
    const refusal = await tooLarge(
      given.map(({ file }) => file),
      side,
      device,
    );
    if (refusal) throw new Error(refusal);
    const [{ file }] = given;
    if (given.length === 1 && isModel(file.name)) return onModel(file);
    const source = await sourceOf(given);
    files = given;
    example = undefined;
    await readFrom(source);
  }

  async function openExample(one: Example): Promise<void> {
    example = one;
    files = [];
    await readFrom({ kind: 'example', name: one.name });
  }

  async function readFrom(source: Source | undefined): Promise<void> {
    const sound = source?.kind === 'sound' ? source.sound : undefined;
    const sent = sound ? transfer(source!, [sound.entries.buffer]) : source;
    const next = await work.matrix.read(sent, reading.reading());
    if ('refused' in next) {
      const { message, option } = next.refused;
      if (source) refused = undefined;
      if (source?.kind === 'table' && isTable(source.file.name)) {
        refused = source;
        reading.offer();
        drop.element.after(reading.element); // beside the sentence that speaks of it
      }
      throw Object.assign(new Error(inFields(message, reading.names)), { option });
    }
    refused = undefined;
    facts = next;
    show(next);
    onRead(next, source ? example : undefined);
  }

  function show(next: Facts): void {
    summary.hidden = false;
    title.textContent = example?.title ?? next.name;
    const cells = next.rows * next.cols;
    const share = (count: number) => (count === 0 ? 'none' : `${count} (${percent(count / cells)})`);
    const rows: [string, string][] = [
      ...(next.stored === undefined ? [] : [['Stored', share(next.stored)] as [string, string]]),
      ['Missing', share(next.missing)],
      ['Zero', share(next.zeros)],
      ['Smallest, largest', `${short(next.least)}, ${short(next.most)}`],
      ['Features', listed(next.features)],
      ['Samples', listed(next.samples)],
    ];
    const gaps = next.missing === 0 ? 'nothing missing' : `${percent(next.missing / cells)} missing`;
    inShort.textContent = `${next.rows} features × ${next.cols} samples, ${gaps}, ${percent(next.zeros / cells)} zero, from ${short(next.least)} to ${short(next.most)}.`;
    numbers.replaceChildren(...rows.map(([term, value]) => el('div', {}, el('dt', {}, term), el('dd', {}, value))));
    notes.replaceChildren(...next.notes.map((note) => el('li', {}, note)));
    keeping.before(reading.element);
    reading.suit(next);
    map.show(next.X.entries, { label: 'The data X', ...namesOf(next.X, 'X', next.features, next.samples) });
    keeping.hidden = files.length === 0;
    keepBox.checked = false;
    keepText.textContent = '';
    keptPlace.hidden = true;
    close(sources);
  }

  async function keepOrForget(): Promise<void> {
    try {
      if (keepBox.checked)
        await keep(
          room,
          files.map(({ path, file }) => ({ path, file })),
        );
      else await forget(room);
      keepText.textContent = keepBox.checked ? keptForNext : '';
    } catch (error) {
      keepBox.checked = false;
      drop.complain(`The browser did not keep the files: ${sentenceOf(error)}`);
    }
  }

  /** Offers the files of an earlier visit. */
  async function offerKept(): Promise<void> {
    const found = await kept(room).catch(() => undefined);
    if (!found || facts) return;
    const names = found.files.map(({ file }) => file.name);
    const said = names.length > 2 ? `${names[0]} and ${names.length - 1} more` : names.join(', ');
    const forgetThem = async () => {
      await forget(room);
      keptPlace.hidden = true;
      drop.element.querySelector('button')!.focus();
    };
    keptPlace.replaceChildren(
      `This browser keeps ${said} of ${found.date.slice(0, 10)}. `,
      el('button', { type: 'button', onclick: () => void attempt(() => take(found.files).then(() => title.focus())) }, 'Open'),
      ' ',
      el('button', { type: 'button', class: 'quiet', onclick: () => void forgetThem() }, 'Forget'),
    );
    keptPlace.hidden = false;
  }

  void offerKept();
  return {
    element,
    reading,
    get facts() {
      return facts;
    },
    get example() {
      return example?.name;
    },
    async open(name) {
      const one = examples.find((known) => known.name === name);
      if (one) await attempt(() => openExample(one));
    },
    complain: drop.complain,
  };
}

async function sourceOf(given: readonly Given[]): Promise<Source> {
  const names = given.map(({ file }) => file.name);
  const sorted = [...given].sort((a, b) => a.path.localeCompare(b.path, 'en', { numeric: true })).map(({ file }) => file);
  if (names.every(isPicture)) return { kind: 'pictures', files: sorted };
  if (given.length > 1)
    throw new Error(`${given.length} files were dropped, and not all of them are pictures; drop one matrix, one sound, or pictures alone.`);
  const [{ file }] = given;
  return isAudio(file.name) ? { kind: 'sound', sound: await decodeSound(file) } : { kind: 'table', file };
}

const short = (x: number) => (Number.isFinite(x) ? String(Number(x.toPrecision(4))) : 'none');
const percent = (part: number) => (part === 0 ? '0 %' : part < 0.001 ? 'below 0.1 %' : `${Number((100 * part).toPrecision(3))} %`);

function listed(names: readonly string[] | undefined): string {
  if (!names || names.length === 0) return 'without names';
  return names.length > 3 ? `${names.slice(0, 2).join('; ')}; … ${names.at(-1)}` : names.join('; ');
}
