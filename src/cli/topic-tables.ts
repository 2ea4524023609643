/** What was found of topics as tables of a report: shares by a field, flows, coherence. */
import type { ReportTable } from '../report/types.js';
import type { Coherence } from '../topics/coherence.js';
import { allTopics } from '../topics/tree.js';
import { labelsOf } from './print-topics.js';
import type { FoundTopics } from './topic-options.js';

/** Coherence and shares to four digits: a reader compares them, and nobody computes with them. */
const rounded = (value: number | null) => (value === null ? null : Number(value.toFixed(4)));

export function topicTables({ topics, quality, flows, shares }: FoundTopics): ReportTable[] {
  const label = labelsOf(topics);
  const labels = (layer: number, count: number) => Array.from({ length: count }, (_, index) => label(layer, index));
  const byField = Object.entries(shares).map(([field, { groups, layers }]): ReportTable => {
    const last = layers.length - 1;
    return {
      title: `Shares of the topics of layer ${last} by ${field}`,
      columns: [field, 'documents', ...labels(last, layers[last][0].length)],
      rows: groups.map(({ name, documents }, g) => [name, documents, ...layers[last][g].map(rounded)]),
    };
  });
  const flowing = flows.map(({ layer, shares: parts }): ReportTable => {
    const rows = parts.map((row, index) => {
      const whole = row.reduce((sum, part) => sum + part, 0);
      return [label(layer, index), ...row.map((part) => (whole > 0 ? rounded(part / whole) : null))];
    });
    return {
      title: `Flows from layer ${layer} to layer ${layer + 1}, as parts of each topic`,
      columns: [`topic of layer ${layer}`, ...labels(layer + 1, parts[0].length)],
      rows,
    };
  });
  const measures = (coherence: Coherence | undefined) =>
    (['cNpmi', 'cV', 'cUci', 'uMass'] as const).map((name) => rounded(coherence?.[name] ?? null));
  const all = allTopics(topics);
  const coherent: ReportTable = {
    title: 'Coherence of the 20 heaviest words of each topic',
    columns: ['layer', 'topic', 'C_NPMI', 'C_V', 'C_UCI', 'UMass'],
    rows: [...quality]
      .reverse()
      .flatMap(({ layer, coherence }) => [
        ...all.filter((topic) => topic.layer === layer).map((topic) => [layer, topic.label, ...measures(topic.coherence)]),
        [layer, 'mean', ...measures(coherence)],
      ]),
  };
  return [...byField, ...flowing, coherent];
}
