// Part of reduce/fold: the terms that it adds up, by MAP.
const PARTIALS: u32 = 0u; // results of an earlier level, entry by entry
const ENTRIES: u32 = 1u; // of a tensor's vec4
const SQUARES: u32 = 2u; // of these
const MAGNITUDES: u32 = 3u; // their absolute values
