/** Examples to take at once, made here: nothing is loaded. */
import { InputError, type Matrix, matrix, randomLowRank, tableOne } from 'orthant';
import type { ImageSize } from 'orthant/formats';

export interface Example {
  X: Matrix;
  features?: string[];
  samples?: string[];
  image?: ImageSize;
  /** How it was made. */
  note: string;
}

const makers: Record<string, () => Example> = { swimmer, missing, table, spectra };

export function exampleMatrix(name: string): Example {
  const make = Object.hasOwn(makers, name) ? makers[name] : undefined;
  if (!make) throw new InputError(`There is no example ${name}; there are ${Object.keys(makers).join(', ')}.`);
  return make();
}

/** Of groups of rows and columns in three levels: the published experiment. */
function table(): Example {
  const { X, labels } = tableOne();
  const samples = labels[9].map((group, j) => `sample ${j + 1}, group ${group + 1}`);
  return { X, samples, note: 'The data of the published experiment: 9 groups in 4 in 2, with noise.' };
}

const lost = 0.4;

/** Rank 4, noise-free, and 40 % of its entries gone. */
function missing(): Example {
  const X = randomLowRank(60, 80, 4, { seed: 7 });
  let state = 12345;
  for (let at = 0; at < X.data.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // the generator of Numerical Recipes: the example is the same everywhere
    if (state / 2 ** 32 < lost) X.data[at] = Number.NaN;
  }
  return { X, note: 'A matrix of rank 4, of which 40 % of the entries were taken out.' };
}

/**
 * The swimmer: a torso and four limbs of four positions each, all 256 combinations, 32×32 pixels (after Donoho & Stodden 2003). Its parts are the
 * 16 positions of limbs and the torso.
 */
function swimmer(): Example {
  const size = 32;
  const X = matrix(size * size, 256);
  const paint = (picture: number, row: number, column: number) => {
    X.data[(row * size + column) * X.cols + picture] = 1;
  };
  // Row and column of each joint, the way down or up in which its limb turns, and the side.
  const joints = [
    [12, 13, 1, -1],
    [12, 18, 1, 1],
    [19, 13, -1, -1],
    [19, 18, -1, 1],
  ];
  for (let picture = 0; picture < 256; picture++) {
    for (let row = 12; row < 20; row++) for (let column = 15; column < 17; column++) paint(picture, row, column);
    joints.forEach(([row, column, turn, side], limb) => {
      const position = Math.floor(picture / 4 ** limb) % 4;
      const angle = ((position * 35 - 90) * Math.PI) / 180;
      const [down, out] = [Math.sin(angle) * turn, Math.cos(angle) * side];
      for (let step = 1; step <= 9; step++) {
        const [y, x] = [Math.round(row + step * down), Math.round(column + step * out)];
        paint(picture, y, x);
      }
    });
  }
  return {
    X,
    image: { width: size, height: size, channels: 1 },
    features: Array.from({ length: size * size }, (_, at) => `row ${Math.floor(at / size) + 1}, column ${(at % size) + 1}`),
    samples: Array.from({ length: 256 }, (_, j) => `figure ${j + 1}`),
    note: 'A torso and four limbs in four positions each, all 256 figures, drawn here.',
  };
}

/** Mixtures of three spectra of two peaks each. */
function spectra(): Example {
  const [channels, mixtures] = [120, 90];
  const peaks = [
    [20, 70],
    [35, 95],
    [55, 105],
  ];
  const shares = randomLowRank(3, mixtures, 3, { seed: 3 });
  const X = matrix(channels, mixtures);
  for (let i = 0; i < channels; i++) {
    const lines = peaks.map((centres) => centres.reduce((sum, centre) => sum + Math.exp(-(((i - centre) / 5) ** 2)), 0));
    for (let j = 0; j < mixtures; j++)
      X.data[i * mixtures + j] = lines.reduce((sum, line, k) => sum + line * shares.data[k * mixtures + j], 0);
  }
  return {
    X,
    features: Array.from({ length: channels }, (_, i) => `${400 + 5 * i} nm`),
    samples: Array.from({ length: mixtures }, (_, j) => `mixture ${j + 1}`),
    note: 'Mixtures of three substances, each with a spectrum of two peaks.',
  };
}
