// Part of the folds: the terms that they add up, by MAP.
const PARTIALS: u32 = 0u; // results of an earlier level, entry by entry
const ENTRIES: u32 = 1u; // of a tensor's vec4
const SQUARES: u32 = 2u; // of these
const MAGNITUDES: u32 = 3u; // their absolute values

fn entry(at: u32) -> f32 {
  if (MAP == PARTIALS) { return X[at / 4u][at % 4u]; }
  let x = X[at];
  if (MAP == ENTRIES) { return (x.x + x.y) + (x.z + x.w); }
  if (MAP == SQUARES) { return dot(x, x); }
  let a = abs(x);
  return max(max(a.x, a.y), max(a.z, a.w));
}
