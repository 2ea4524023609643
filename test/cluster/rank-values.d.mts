export function numbersOf(seed: number, rank: number, length: number): Float64Array;
export function gatheredOf(seed: number, rank: number): Float32Array;
export function broadcastOf(seed: number, length: number): Float32Array;
export function textOf(rank: number): string;
