/** Checkpoints of fits: all that a fit needs to go on to the same bits, taken while it runs. */

import type { Run } from '../engine.js';
import { InputError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import type { Frozen } from './frozen.js';
import type { LoopState, StageResult } from './loop.js';

/**
 * A fit under way. It is plain data: keep it in memory, in IndexedDB or in a file, post it to a worker, and give it to the same fit as
 * `resume`.
 */
export interface Checkpoint {
  format: typeof format;
  method: string;
  /** Of the data and the options. */
  fingerprint: string;
  /** Stages that have ended. */
  ended: StageResult[];
  /** The stage under way, and the squared norm of each restart that its errors are relative to. */
  stage: { name: string; norm: number[]; loop: LoopState };
  /** The states of the program, every restart one after another. */
  states: { name: string; data: Float32Array | Float64Array }[];
  /** Time that the fit has taken so far. */
  elapsedMs: number;
}

const format = 3;

const statesOf = ({ program }: Run): Tensor[] => program.tensors.filter(({ role }) => role === 'state');

/**
 * The checkpoint of a fit whose stage has reached `loop`. Reading copies the states in the order of the queue and changes nothing. Restarts
 * that have ended are in it as they ended.
 */
export async function takeCheckpoint(run: Run, frozen: Frozen, rest: Omit<Checkpoint, 'format' | 'states'>): Promise<Checkpoint> {
  const states = statesOf(run);
  const read = await run.sample(states);
  frozen.into(states, read);
  return { format, ...rest, states: states.map(({ name }, i) => ({ name, data: read[i] })) };
}

/** Brings the states of a run to those of a checkpoint. */
export function restoreStates(run: Run, { states }: Checkpoint): void {
  statesOf(run).forEach((tensor, i) => {
    run.write(tensor, states[i].data);
  });
}

/** Throws InputError unless a checkpoint is of this method, data and options, and has the states of this program. */
export function checkCheckpoint(given: Checkpoint, method: string, fingerprint: string, run: Run): void {
  const refuse = (why: string) => {
    throw new InputError(`resume is no checkpoint of this fit: ${why}. Fit from the start, or give what the checkpoint was made with.`, {
      option: 'resume',
    });
  };
  if (given?.format !== format || !Array.isArray(given.states)) refuse('this version of orthant gave no such thing to checkpoint.save');
  if (given.method !== method) refuse(`it is of the method ${given.method}`);
  if (given.fingerprint !== fingerprint) refuse('X, an option or a label is another');
  const fits = ({ name, rows, cols, batch }: Tensor, i: number) =>
    given.states[i]?.name === name && given.states[i].data.length === rows * cols * batch;
  const states = statesOf(run);
  if (given.states.length !== states.length || !states.every(fits)) refuse('its states have other shapes');
}

/** A hash of plain data, by FNV-1a in two lanes of 32 bits. Functions and undefined fields do not count. */
export function fingerprintOf(...values: readonly unknown[]): string {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  const word = (x: number) => {
    a = Math.imul(a ^ x, 0x01000193);
    b = Math.imul(b ^ (x >>> 15) ^ (x << 17), 0x85ebca6b);
  };
  const text = (s: string) => {
    word(s.length);
    for (let i = 0; i < s.length; i++) word(s.charCodeAt(i));
  };
  const walk = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) {
      text(value.constructor.name);
      const { buffer, byteOffset, byteLength } = value;
      const aligned = byteOffset % 4 === 0 ? byteLength - (byteLength % 4) : 0;
      const words = aligned > 0 ? new Uint32Array(buffer, byteOffset, aligned / 4) : [];
      for (let i = 0; i < words.length; i++) word(words[i]);
      const bytes = new Uint8Array(buffer, byteOffset + aligned, byteLength - aligned);
      for (let i = 0; i < bytes.length; i++) word(bytes[i]);
    } else if (typeof value === 'object' && value !== null) {
      const fields = Object.entries(value).filter(([, one]) => one !== undefined && typeof one !== 'function');
      word(fields.length);
      for (const [name, one] of fields.sort(([x], [y]) => (x < y ? -1 : 1))) {
        text(name);
        walk(one);
      }
    } else text(`${typeof value} ${String(value)}`);
  };
  for (const value of values) walk(value);
  return [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
}
