/** The nearest topics to a text in a model that `topics --out` wrote. */
import { InputError } from '../errors.js';
import { loadModel } from '../node/model-folder.js';
import { checkVocabulary } from '../text/vocabulary.js';
import { nearestTopics } from '../topics/nearest.js';
import { textReader } from '../topics/text-reader.js';
import { topicTree } from '../topics/tree.js';
import type { Io } from './io.js';
import { nearestTable } from './print-topics.js';
import { toJson } from './run-fit.js';
import { soughtWeights } from './topic-options.js';

export interface FindOptions {
  /** A folder. */
  model?: string;
  find?: string;
  words: number;
  json?: boolean;
}

export async function findInModel(io: Io, path: string, { find, words, json }: FindOptions): Promise<void> {
  if (find === undefined) throw new InputError('--model needs --find with a text; to fit topics to a corpus, leave --model out.');
  const model = await loadModel(path);
  const { text } = model;
  if (text === undefined)
    throw new InputError(`--model: ${path} has no vocabulary, so it can read no text; fit it again with orthant topics --out.`);
  const vocabulary = checkVocabulary(text);
  const { terms } = vocabulary;
  const sought = soughtWeights(find, { terms, reader: await textReader(vocabulary) });
  const documents = model.samples ?? Array.from({ length: model.S[0].cols }, (_, m) => `document ${m + 1}`);
  const topics = topicTree(model, terms, documents, { words });
  const nearest = nearestTopics(model, sought);
  if (json) io.stdout.write(toJson({ find, topics, nearest }));
  else io.stdout.print(nearestTable(find, nearest, topics, Math.min(io.stdout.columns ?? 100, 160)));
}
