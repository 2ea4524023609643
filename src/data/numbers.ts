/** Numbers as callers and files have them, made into typed arrays. What is no number is an error with its place, never 0 in silence. */
import { InputError } from '../errors.js';
import { isTyped } from './realm.js';
import { describe, inPlace, type Place } from './words.js';

type NumberLike = number | bigint | string;

/**
 * A list of numbers: an array, a typed array of any type and realm, or whatever has a length and an iterator, such as a column of Arrow.
 *
 * Its entries may also be BigInts up to 2⁵³, and texts of decimal numbers ('1', '-2.5', '1e-3'), as d3.csvParse gives them. null, undefined,
 * booleans, dates, lists, and texts that are empty or something else ('', ' ', '0x10', '1,5') are no numbers.
 */
export type NumberList = ArrayLike<NumberLike> | (Iterable<NumberLike> & { readonly length: number });

/** A decimal number as files write it. No part of the pattern can match what another one has matched, so it takes one pass. */
const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/** No number needs so many characters, and V8 gives up patterns on texts of many millions. */
const longestNumber = 100_000;

/** Whether a text, without blanks around it, is a decimal number: 12, +1, .5, 1e-3; not 0x10, 1,5 or NaN. */
export function isDecimal(text: string): boolean {
  return text.length <= longestNumber && decimal.test(text);
}

/** Whether a value has a length and entries. A text is none: its characters would be taken for numbers. */
export function isList(value: unknown): value is ArrayLike<unknown> {
  if (typeof value !== 'object' || value === null || !('length' in value)) return false;
  return Number.isSafeInteger(value.length) && Number(value.length) >= 0;
}

/** The values of a list one after the other, of its iterator where it has no indices of its own. */
export function forEachValue(list: ArrayLike<unknown> | NumberList, visit: (value: unknown, at: number) => void): void {
  if (Array.isArray(list) || ArrayBuffer.isView(list) || !(Symbol.iterator in list)) {
    const indexed = list as ArrayLike<unknown>;
    for (let at = 0; at < indexed.length; at++) visit(indexed[at], at);
    return;
  }
  let at = 0;
  for (const value of list as Iterable<unknown>) if (at < list.length) visit(value, at++);
  // An iterator that ends early leaves out entries.
  for (; at < list.length; at++) visit(undefined, at);
}

function numberIn(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : undefined;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return isDecimal(text) ? Number(text) : undefined;
}

/**
 * The list as f32, rounded; a Float32Array as it is, not copied.
 *
 * @param placeOf the place of an entry in its matrix or tensor, for messages.
 * @throws InputError for the first entry that is no number, or too large for f32. NaN and infinities are numbers here.
 */
export function toFloat32(list: NumberList, placeOf: (at: number) => Place): Float32Array {
  if (isTyped(list, 'Float32Array')) return list;
  const entries = new Float32Array(list.length);
  forEachValue(list, (value, at) => {
    const number = numberIn(value);
    if (number !== undefined) {
      entries[at] = number;
      if (Math.abs(entries[at]) !== Number.POSITIVE_INFINITY || !Number.isFinite(number)) return;
    }
    const place = placeOf(at);
    throw new InputError(`The entry ${inPlace(place)} (counted from 0) is ${describe(value)}, ${fault(value, number)}.`, place);
  });
  return entries;
}

function fault(value: unknown, number: number | undefined): string {
  if (number !== undefined) return 'which is too large for f32; rescale the data';
  if (typeof value === 'bigint') return 'beyond ±2⁵³, up to which integers are exact; rescale the data';
  if (value === null || value === undefined || (typeof value === 'string' && value.trim() === ''))
    return 'but every entry needs a number; put one there, and hide it with a weight of 0 if none is known';
  return 'which is not a number; write numbers, or decimal texts such as "1.5"';
}

/** The list as indices; a Uint32Array as it is, not copied. Throws InputError for what is no integer from 0 up to 2³². */
export function toIndices(name: string, list: NumberList): Uint32Array {
  if (!isList(list)) throw new InputError(`${name} must be a list of indices, not ${describe(list)}.`);
  if (isTyped(list, 'Uint32Array')) return list;
  const indices = new Uint32Array(list.length);
  forEachValue(list, (value, at) => {
    const index = numberIn(value);
    if (index === undefined || !Number.isInteger(index) || index < 0 || index >= 2 ** 32)
      throw new InputError(`${name}[${at}] is ${describe(value)}, but an index is an integer from 0 on.`);
    indices[at] = index;
  });
  return indices;
}
