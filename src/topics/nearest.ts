/** The topics that a text is nearest to. */
import { InputError, ShapeError } from '../errors.js';
import { type Factors, topicLayers } from './layers.js';

export interface NearTopic {
  layer: number;
  index: number;
  /** The cosine between the text and the topic, from 0 to 1. */
  similarity: number;
}

/**
 * The topics of each layer by the cosine between the terms of a text and column j of A⁰…Aˡ, nearest first; topics that share no term with the
 * text are left out.
 *
 * @param weights The weight of each term in the text, as a column of X has it.
 * @throws InputError where all are zero, ShapeError for another number of terms.
 */
export function nearestTopics(model: Factors, weights: ArrayLike<number>): NearTopic[][] {
  const rows = model.A[0].rows;
  if (weights.length !== rows) throw new ShapeError(`There are ${weights.length} weights for ${rows} terms; each term needs one.`);
  const length = Math.sqrt(Array.from(weights).reduce((sum, weight) => sum + weight * weight, 0));
  if (!(length > 0)) throw new InputError('The text has none of the terms of the topics; give other words.', { option: 'find' });
  return topicLayers(model).map(({ Psi }, layer) => {
    const near = Array.from({ length: Psi.cols }, (_, index): NearTopic => {
      let product = 0;
      let squares = 0;
      for (let i = 0; i < rows; i++) {
        const psi = Psi.data[i * Psi.cols + index];
        product += psi * weights[i];
        squares += psi * psi;
      }
      return { layer, index, similarity: squares > 0 ? product / (Math.sqrt(squares) * length) : 0 };
    });
    return near.filter(({ similarity }) => similarity > 0).sort((a, b) => b.similarity - a.similarity);
  });
}
