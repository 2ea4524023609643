/** The examples of the room: their matrices are made in work/matrix-examples.ts. */
import type { Method } from 'orthant';

export interface Example {
  name: string;
  title: string;
  words: string;
  method: Method;
  ranks: number[];
}

export const examples: readonly Example[] = [
  { name: 'swimmer', title: 'Pictures of a swimmer', words: 'Parts as images: a torso and four limbs.', method: 'nmf', ranks: [17] },
  { name: 'missing', title: 'A matrix with gaps', words: '40 % is missing, and is filled in.', method: 'nmf', ranks: [4] },
  { name: 'spectra', title: 'Mixed spectra', words: 'Three substances in ninety mixtures.', method: 'nmf', ranks: [3] },
  { name: 'table', title: 'Groups in groups', words: '9 in 4 in 2: three levels at once.', method: 'neural', ranks: [9, 4, 2] },
];
