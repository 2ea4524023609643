/** What a report shows, as plain JSON, and what it is made of. */
import type { DataMatrix } from '../data/sparse.js';
import type { Factorization } from '../methods/methods.js';
import type { Topic } from '../topics/tree.js';
import type { Confusion } from './confusion.js';
import type { HeatMap } from './heat-map.js';
import type { ReportWord } from './words.js';

export interface ReportData {
  title: string;
  /** The names of what is in the data, singular. */
  nouns: Nouns;
  method: string;
  /** The method in a line. */
  summary: string;
  ranks: number[];
  features: number;
  samples: number;
  seed: number;
  /** The course of the fit: names and texts. */
  facts: [string, string][];
  /** The options of the command: names and texts. */
  settings: [string, string][];
  /** Version, device and the like: names and texts. */
  origin: [string, string][];
  /** The line that repeats it in a POSIX shell. */
  command: string | null;
  /** Sentences that a reader of the numbers should know. */
  notes: string[];
  layers: { rank: number; relativeError: number; svdBound: number | null }[];
  svdBoundMethod: 'exact' | 'randomised' | null;
  history: { stage: string; iteration: number; relativeError: number }[];
  /** The relative error of each restart, null for one that broke down, and the number of the one that was kept, from 0. */
  restarts: { errors: (number | null)[]; kept: number };
  /** The topics of the last layer with those below them; empty where parts have no shares, since entries are negative. */
  topics: ReportTopic[];
  heatMaps: HeatMap[];
  /** How rows and columns of the heat maps are ordered, in words. */
  heatMapOrder: string;
  confusions: Confusion[];
  /** The surveys that chose the ranks of the layers, where they were chosen. */
  surveys: ReportSurvey[];
  /** Further tables. */
  tables: ReportTable[];
}

/** A survey of ranks for one layer. Measures that it left out are null. */
export interface ReportSurvey {
  layer: number;
  /** Null where no rank was good enough for another layer. */
  chosen: number | null;
  /** Why, in words. */
  reason: string;
  ranks: {
    rank: number;
    relativeError: number;
    heldOut: number | null;
    /** Of the held-out error. */
    standardError: number | null;
    cophenetic: number;
    dispersion: number;
    /** Least silhouettes. */
    stableA: number | null;
    stableS: number | null;
  }[];
}

export interface Nouns {
  feature: string;
  sample: string;
  part: string;
}

export interface ReportTopic {
  layer: number;
  /** Counted from 0. */
  index: number;
  title: string;
  share: number;
  /** The part of its parent that it makes up; null at the top. */
  weight: number | null;
  words: ReportWord[];
  documents: ReportDocument[];
  children: ReportTopic[];
}

export interface ReportDocument {
  name: string;
  weight: number;
  /** A sentence that shows the topic. */
  sentence?: string;
}

/** A tree that the caller has, with labels and sentences where there are some. */
export interface GivenTopic extends Pick<Topic, 'layer' | 'index' | 'share' | 'weight'> {
  label?: string;
  documents: readonly ReportDocument[];
  children: readonly GivenTopic[];
}

export interface ReportTable {
  title: string;
  columns: string[];
  rows: (string | number | null)[][];
}

/** What a report is made of: a model, the data it was fitted to, and what only the caller knows. */
export interface ReportSource {
  title: string;
  model: Factorization;
  /** features × samples. */
  X: DataMatrix;
  /** Default: those of the model, else 'feature 1', …. */
  features?: readonly string[];
  samples?: readonly string[];
  nouns?: Nouns;
  /** Default: that of `topicTree`. */
  topics?: readonly GivenTopic[];
  /** The order of rows and columns in heat maps: as in the data (default), or by the part that each has most of. */
  order?: 'data' | 'parts';
  /** The label of each sample, '' where it has none, and those that the fit did not see. */
  labels?: readonly string[];
  truth?: readonly string[];
  facts?: [string, string][];
  settings?: object;
  origin?: [string, string][];
  command?: string;
  notes?: readonly string[];
  surveys?: readonly ReportSurvey[];
  tables?: readonly ReportTable[];
}
