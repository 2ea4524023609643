/** Matplotlib's viridis, perceptually uniform, as a polynomial of degree 6 in each channel (fitted by Matt Zucker, CC0). */
const coefficients = [
  [0.27773, 0.10509, -0.33086, -4.63423, 6.22827, 4.77638, -5.43546],
  [0.00541, 1.40461, 0.21485, -5.7991, 14.17993, -13.74515, 4.64585],
  [0.3341, 1.38459, 0.0951, -19.33244, 56.69055, -65.35303, 26.31244],
];

/** Red, green and blue, 0 to 255, for t from 0 to 1; beyond, the colour of the nearer end. */
export function viridis(t: number): number[] {
  const at = clamp(t);
  return coefficients.map((channel) => 255 * clamp(channel.reduceRight((sum, c) => sum * at + c, 0)));
}

/** From blue at 0 over near white to red at 1, for entries of both signs: the ends and the middle of ColorBrewer's RdBu. */
export function redAndBlue(t: number): number[] {
  const at = clamp(t);
  const [blue, middle, red] = [
    [33, 102, 172],
    [247, 247, 247],
    [178, 24, 43],
  ];
  const [from, to, part] = at < 0.5 ? [blue, middle, 2 * at] : [middle, red, 2 * at - 1];
  return from.map((channel, i) => channel + part * (to[i] - channel));
}

function clamp(t: number): number {
  return Math.min(Math.max(t, 0), 1);
}
