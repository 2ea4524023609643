/** What a model of texts knows of them, so that new texts are counted as those were that it was fitted to. It is plain JSON. */
export interface TextModel {
  /** The vocabulary: the term of each feature, in the order of the rows of A⁰. */
  terms: string[];
  /** The inverse document frequency of each term as it was weighted with; null for counts. */
  idf: number[] | null;
  /** How a count became a number of the matrix. */
  weighting: string;
  /** The language of the texts, as a tag of BCP 47; null where none was told or found. */
  language: string | null;
  /** The other options that turned texts into terms, by their names. */
  options: Record<string, unknown>;
}
