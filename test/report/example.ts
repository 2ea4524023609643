/** A model so small that every number of its report is derived by hand, with names that would do harm as markup. */
import { matrix } from '../../src/data/matrix.js';
import type { Factorization } from '../../src/methods/methods.js';
import type { ReportSource } from '../../src/report/types.js';

/** Names that a page must show as they stand. */
export const hostile = {
  title: '</title><script>alert("title")</script>',
  terms: [
    '</script><script>alert(1)</script>',
    '<img src=x onerror=alert(2)>',
    '"><svg onload=alert(3)>',
    '<!--<script>',
    "plain & 'quoted'",
  ],
  documents: ['<b>bold</b>', 'line\u2028separator\u2029"', '\u202eturned, "so"'],
};

/**
 * X sums to 20, 8, 1, 1, 10, 0 in its rows, so its terms have the shares 0.4, 0.05, 0.05, 0.5, 0. Layer 0 has three topics, whose terms have
 * the shares (0.5, 0.3, 0.2, 0, 0), (0, 0, 0, 1, 0) and (0.25, 0, 0, 0.75, 0) and whose masses are 10·(1 + 1) = 20, 4·5 = 20 and 4·10 = 40.
 * A¹ joins the first to topic 0 of layer 1, and the others to topic 1.
 */
const A0 = [5, 0, 1, 3, 0, 0, 2, 0, 0, 0, 4, 3, 0, 0, 0];
const S0 = [1, 1, 0, 0, 5, 0, 0, 4, 6];
const A1 = [1, 0, 0, 1, 0, 1];
const S1 = [2, 0, 0, 0, 5, 6];

export function exampleModel(): Factorization {
  return {
    method: 'neural',
    ranks: [3, 2],
    A: [matrix(5, 3, A0), matrix(3, 2, A1)],
    S: [matrix(3, 3, S0), matrix(2, 3, S1)],
    relativeError: 0.25,
    svdBound: 0.2,
    svdBoundMethod: 'exact',
    layers: [
      { rank: 3, relativeError: 0.125, svdBound: 0.1 },
      { rank: 2, relativeError: 0.25, svdBound: 0.2 },
    ],
    kktResidual: 1e-7,
    unconverged: 0,
    illConditioned: 0,
    history: [
      { stage: 'layer 1 of 2', iteration: 10, relativeError: 0.5 },
      { stage: 'layer 1 of 2', iteration: 20, relativeError: 0.125 },
      { stage: 'all layers', iteration: 10, relativeError: 0.25 },
    ],
    iterations: 30,
    converged: true,
    stopReason: 'tolerance',
    restartErrors: [0.25, Number.POSITIVE_INFINITY, 0.3],
    restart: 0,
    seed: 7,
    settings: { maxIterations: 100, tolerance: 1e-4 },
    // Scores are those of S¹ itself: sample 0 is of class 0, samples 1 and 2 of class 1.
    supervision: {
      classes: ['<i>a</i>', 'b'],
      classifiers: [{ layer: 1, B: matrix(2, 2, [1, 0, 0, 1]) }],
      accuracy: { labelled: 0.5, unlabelled: 1 },
    },
    elapsedMs: 1500,
  } as unknown as Factorization;
}

export function exampleSource(): ReportSource {
  return {
    title: hostile.title,
    model: exampleModel(),
    X: matrix(5, 3, [8, 0, 0, 0, 1, 0, 0, 0, 1, 2, 3, 5, 0, 0, 0]),
    features: hostile.terms,
    samples: hostile.documents,
    nouns: { feature: 'term', sample: 'document', part: 'topic' },
    labels: ['<i>a</i>', '', '<i>a</i>'],
    truth: ['<i>a</i>', 'b', 'b'],
    facts: [['time', '1.5 s']],
    settings: { corpus: '<script>alert(4)</script>', maxIterations: 100 },
    origin: [['device', '<script>alert(5)</script>']],
    command: "orthant topics '<script>alert(6)</script>'",
    notes: ['A note with <script>alert(7)</script>.'],
    surveys: [
      {
        layer: 0,
        chosen: 3,
        reason: 'Rank 3 is the smallest <script>alert(8)</script>.',
        ranks: [
          { rank: 2, relativeError: 0.3, heldOut: 0.5, standardError: 0.0625, cophenetic: 1, dispersion: 0.9, stableA: 1, stableS: 0.75 },
          {
            rank: 3,
            relativeError: 0.125,
            heldOut: 0.25,
            standardError: 0.03125,
            cophenetic: 0.5,
            dispersion: 0.7,
            stableA: 0.5,
            stableS: 1,
          },
          {
            rank: 4,
            relativeError: 0.12,
            heldOut: null,
            standardError: null,
            cophenetic: 0.25,
            dispersion: 0.6,
            stableA: null,
            stableS: null,
          },
        ],
      },
    ],
    tables: [{ title: 'More <b>', columns: ['one', '<b>'], rows: [['=1+1', 2.5]] }],
  };
}
