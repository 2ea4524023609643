/** The survey of ranks: many fits of each, and the rank that they speak for. */
import type { OptionInfo } from 'orthant';
import { el, newId } from '../../page/dom.js';
import { fitPanel } from '../../page/fit-panel.js';
import { heatMap } from '../../page/heat-map.js';
import { proxy, work } from '../../page/session.js';
import type { Facts } from '../../work/matrix.js';
import type { Surveyed } from '../../work/matrix-survey.js';
import { namesOf } from './names.js';
import { optionField } from './option-field.js';
import { rankChart } from './rank-chart.js';

export interface SurveyPanel {
  element: HTMLElement;
  readonly busy: boolean;
  /** Begins anew with other data. */
  suit(facts: Facts): void;
}

const settings: readonly OptionInfo[] = [
  { name: 'restarts', kind: 'positiveInteger', help: 'fits of each rank, 4 or more', default: 20 },
  { name: 'masks', kind: 'count', help: 'masks of hidden entries that the fits are shared by; 0 for none', default: 5 },
  { name: 'hidden', kind: 'positive', help: 'the part of the entries that a mask hides', default: 0.1 },
  { name: 'perturbation', kind: 'atLeastZero', help: 'entries are multiplied by 1 ± this for the stability; 0 for none', default: 0.015 },
  { name: 'layers', kind: 'positiveInteger', help: 'a rank for each of so many layers', default: 1 },
  { name: 'seed', kind: 'count', help: 'the same seed gives the same survey', default: 0 },
];

export function surveyPanel(take: (ranks: readonly number[]) => void): SurveyPanel {
  let facts: Facts | undefined;
  let found: { ranks: number[]; surveys: Surveyed[] } | undefined;
  const [fromId, toId, layerId] = [newId('rank'), newId('rank'), newId('layer')];
  const from = el('input', { id: fromId, type: 'number', min: 1, max: 128, value: 2 });
  const to = el('input', { id: toId, type: 'number', min: 1, max: 128, value: 8 });
  const fields = settings.map((option) => optionField(option, () => {}));
  const panel = fitPanel({ room: 'Matrix', verb: 'Survey the ranks', idle: 'No survey yet.', iterates: false, onStart: start });
  const reason = el('p', { class: 'reason' });
  const notes = el('ul', { class: 'notes' });
  const takeButton = el('button', { type: 'button', class: 'primary', onclick: () => found && take(found.ranks) });
  const layer = el('select', { id: layerId, onchange: () => show() });
  const layerField = el('div', { class: 'controls', hidden: true }, el('label', { for: layerId }, 'Layer ', layer));
  const chart = rankChart();
  const consensus = heatMap({ label: 'Consensus', high: 1 });
  const rows = el('tbody', {});
  const heads = ['Rank', 'Held-out error', 'Error of the fit', 'Stability', 'Cophenetic'];
  const outcome = el(
    'div',
    { class: 'outcome', hidden: true },
    layerField,
    reason,
    takeButton,
    notes,
    el(
      'div',
      { class: 'outcome-pictures' },
      chart.element,
      el('figure', {}, el('figcaption', {}, el('h3', {}, 'Consensus of the samples')), consensus.element),
    ),
    el(
      'details',
      {},
      el('summary', {}, 'The numbers'),
      el(
        'div',
        { class: 'scrolling', tabindex: 0, role: 'group', 'aria-label': 'Ranks' },
        el('table', { class: 'levels' }, el('thead', {}, el('tr', {}, ...heads.map((text) => el('th', { scope: 'col' }, text)))), rows),
      ),
    ),
  );
  const element = el(
    'details',
    { class: 'survey' },
    el('summary', {}, 'Which rank?'),
    el(
      'p',
      { class: 'hint' },
      'Fits each rank many times by nmf with hals, and compares the error at entries that the fits have not seen, the stability of the components, and the agreement of restarts.',
    ),
    el('div', { class: 'controls' }, el('label', { for: fromId }, 'Ranks from ', from), el('label', { for: toId }, 'to ', to)),
    el('details', {}, el('summary', {}, 'Options of the survey'), el('div', { class: 'fields' }, ...fields.map((field) => field.element))),
    panel.element,
    outcome,
  );

  async function start(): Promise<void> {
    for (const field of fields) field.complain('');
    const [least, most] = [from.valueAsNumber, to.valueAsNumber];
    if (!(Number.isInteger(least) && Number.isInteger(most) && least >= 1 && least <= most))
      return panel.complain('The ranks must be two integers from 1 on, the smaller one first.');
    const given = Object.fromEntries(fields.flatMap((field) => (field.value() === undefined ? [] : [[field.name, field.value()]])));
    await panel.run(async (id, hear) => {
      const ranks = Array.from({ length: most - least + 1 }, (_, i) => least + i);
      const answer = await work.matrixSurvey.survey({ layers: 1, ...given, ranks }, id, proxy(hear));
      if ('refused' in answer) {
        const { message, option, cancelled } = answer.refused;
        if (cancelled) return 'Stopped; no rank was chosen.';
        const field = fields.find(({ name }) => name === option);
        if (!field) throw new Error(message);
        field.complain(message);
        field.focus();
        return 'Not running.';
      }
      found = answer;
      layer.replaceChildren(...answer.surveys.map((_, l) => el('option', { value: l }, String(l))));
      layerField.hidden = answer.surveys.length < 2;
      outcome.hidden = false;
      show();
      return 'Finished.';
    });
  }

  function show(): void {
    if (!found) return;
    const { results, chosen, reason: why, notes: said, consensus: picture, samples } = found.surveys[Number(layer.value || 0)];
    reason.textContent = why;
    takeButton.textContent = found.ranks.length === 1 ? `Take rank ${found.ranks[0]}` : `Take ranks ${found.ranks.join(', ')}`;
    notes.replaceChildren(...said.map((note) => el('li', {}, note)));
    chart.show(results, chosen);
    const names = samples.map((at) => facts?.samples?.[at] ?? `sample ${at + 1}`);
    consensus.show(picture.entries, { label: `Consensus at rank ${chosen}`, ...namesOf(picture, undefined, names, names) });
    rows.replaceChildren(
      ...results.map(({ rank, heldOut, relativeError, stability, cophenetic }) =>
        el(
          'tr',
          rank === chosen ? { 'aria-current': 'true' } : {},
          el('th', { scope: 'row' }, rank === chosen ? `${rank}, chosen` : String(rank)),
          ...[heldOut?.error, relativeError, stability?.leastOfA, cophenetic].map((x) =>
            el('td', {}, x === undefined ? '–' : x.toPrecision(4)),
          ),
        ),
      ),
    );
  }

  return {
    element,
    get busy() {
      return panel.busy;
    },
    suit(next) {
      facts = next;
      found = undefined;
      outcome.hidden = true;
      const most = Math.min(next.rows, next.cols, 128);
      from.value = String(Math.min(2, most));
      to.value = String(Math.min(8, most));
    },
  };
}
