/**
 * The relevance of a term to a topic (Sievert and Shirley, LDAvis, 2014): λ ln φ + (1 − λ) ln(φ / p), φ the share of the term in the topic
 * and p its share in the corpus. λ = 1 orders terms by their share, λ = 0 by how many times more often they are than elsewhere.
 *
 * A term that the topic does not have is −∞, and so is, below λ = 1, one that the corpus does not have.
 */
export function relevance(share: number, corpus: number, lambda: number): number {
  if (!(share > 0)) return Number.NEGATIVE_INFINITY;
  if (lambda === 1) return Math.log(share);
  return corpus > 0 ? Math.log(share) - (1 - lambda) * Math.log(corpus) : Number.NEGATIVE_INFINITY;
}
