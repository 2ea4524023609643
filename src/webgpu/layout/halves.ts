/**
 * Inputs stored as 16-bit floats: two entries to a word, in rows padded as those of f32 tensors. X, the tensor that products read most,
 * takes half the memory and half the traffic. Every entry is rounded to 11 significant bits, so an engine does it only when asked. Kernels
 * unpack as they load and compute in f32. No feature of the device is needed.
 */
import { InputError } from '../../errors.js';

const largest = 65_504;
const bits = new DataView(new ArrayBuffer(4));

/** The bits of the nearest 16-bit float, ties to even. Throws InputError beyond ±65,504. */
export function toHalf(value: number): number {
  bits.setFloat32(0, value);
  const pattern = bits.getUint32(0);
  const sign = (pattern >>> 16) & 0x8000;
  const magnitude = pattern & 0x7fff_ffff;
  if (magnitude < 0x3880_0000) return sign | nearestEven(Math.abs(value) * 2 ** 24); // below the smallest normal number, 2⁻¹⁴
  const half = ((magnitude + 0xfff + ((magnitude >>> 13) & 1)) >>> 13) - (112 << 10);
  if (!(half < 0x7c00))
    throw new InputError(
      `16-bit floats hold nothing beyond ±${largest}, and an entry is ${value}, in a unit in which the mean is about 1. Clip the entry, or leave out the option halfInputs.`,
      { option: 'halfInputs' },
    );
  return sign | half;
}

export function fromHalf(half: number): number {
  const exponent = (half >>> 10) & 31;
  const fraction = half & 1023;
  const magnitude = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return half & 0x8000 ? -magnitude : magnitude;
}

function nearestEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

/** Padded entries as the device holds them. */
export function packHalves(padded: Float32Array): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(padded.length / 8) * 4);
  const halves = new Uint16Array(words.buffer);
  padded.forEach((value, i) => {
    halves[i] = toHalf(value);
  });
  return words;
}

/** The entries of a buffer of halves. */
export function unpackHalves(buffer: Float32Array): Float32Array {
  return Float32Array.from(new Uint16Array(buffer.buffer, buffer.byteOffset, buffer.length * 2), fromHalf);
}
