/** The positions of the slider of λ, 0 and 1 among them. */
export const lambdas: readonly number[] = Array.from({ length: 21 }, (_, i) => i / 20);

/** How many words the page shows for a topic. */
export const wordsShown = 15;
