/** Models of topics from .zip files, as this page and `orthant topics --out` write them. */
import { unzipSync } from 'fflate';
import { InputError, modelFromFiles, type NeuralFactorization, type SavedModel } from 'orthant';
import { checkVocabulary, type Vocabulary } from 'orthant/text';
import { key } from './tree.js';

/** The model of a room: its names of topics stand beside its own fields in model.json. */
export interface TopicModel {
  model: SavedModel & NeuralFactorization & { text: Vocabulary };
  names: Map<string, string>;
}

export async function readModel(bytes: Uint8Array, source: string): Promise<TopicModel> {
  let packed: Record<string, Uint8Array>;
  try {
    packed = unzipSync(bytes);
  } catch (cause) {
    throw new InputError(`${source} is no .zip file that can be unpacked.`, { cause });
  }
  const path = Object.keys(packed).find((name) => /(^|\/)model\.json$/.test(name));
  if (path === undefined) throw new InputError(`${source} has no model.json, so it holds no model.`);
  const folder = path.slice(0, -'model.json'.length);
  const model = await modelFromFiles(async (name) => {
    const found = packed[`${folder}${name}`];
    if (!found) throw new InputError(`${source} has no ${name}.`);
    return found;
  });
  if (model.method !== 'neural')
    throw new InputError(`${source} holds a model of ${model.method}, and this room reads those of neural, which orthant topics writes.`);
  if (model.text === undefined)
    throw new InputError(`${source} has no vocabulary, so its topics have no words; fit it again with orthant topics --out.`);
  if (model.S.some(({ cols }) => cols === 0))
    throw new InputError(`${source} has no coefficients S of its documents, which the tree needs.`);
  return { model: { ...model, text: checkVocabulary(model.text) }, names: namesIn(packed[path]) };
}

function namesIn(json: Uint8Array): Map<string, string> {
  const { topicNames } = JSON.parse(new TextDecoder().decode(json)) as { topicNames?: unknown };
  const names = new Map<string, string>();
  if (!Array.isArray(topicNames)) return names;
  for (const one of topicNames as Record<string, unknown>[])
    if (Number.isInteger(one?.layer) && Number.isInteger(one?.index) && typeof one?.name === 'string')
      names.set(key(one.layer as number, one.index as number), one.name);
  return names;
}
