/** Decimal numbers in bytes of text, as f32, without a string for each. */

/** What `readDecimal` found: the number, and where the text after it begins. */
export interface Cursor {
  at: number;
}

const [plus, minus, zero, nine, lowerE] = [43, 45, 48, 57, 101];

/** 10^0 to 10^22 are exact in f64, so a quotient or product with an integer below 2⁵³ is rounded once. */
const mostExact = 22;
/** Beyond f32 and back: the others are rounded, each to half a unit in its last place. */
const mostPower = 60;
const powers = Float64Array.from({ length: mostPower + 1 }, (_, e) => Number(`1e${e}`));

/** Digits are added up while the number stays below 10¹⁵, where every integer is exact. */
const fullMantissa = 1e14;

/**
 * Twice the relative error of a number whose digits beyond the first 15 were left out, 10⁻¹⁴, with that of two roundings and a power.
 * If f32 rounds all of this interval to one value, it is that of the number, too, since rounding never changes the order of two numbers.
 */
const doubt = 2.1e-14;

/**
 * The number at `bytes[at]`, or NaN where there is none, or none that this reading is sure of (it has an exponent beyond ±60, say, or more
 * digits than can be told apart near the middle between two values of f32). `cursor.at` becomes the place after it.
 *
 * What it gives is Math.fround(Number(text)) to the bit. `decimal` is the byte of the decimal mark.
 */
export function readDecimal(bytes: Uint8Array, start: number, decimal: number, cursor: Cursor): number {
  let at = start;
  let byte = bytes[at];
  const negative = byte === minus;
  if (negative || byte === plus) byte = bytes[++at];
  const first = at;
  let mantissa = 0;
  let exponent = 0;
  let inexact = false;
  for (; byte >= zero && byte <= nine; byte = bytes[++at]) {
    if (mantissa < fullMantissa) mantissa = mantissa * 10 + (byte - zero);
    else {
      exponent++;
      if (byte !== zero) inexact = true;
    }
  }
  let digits = at - first;
  if (byte === decimal) {
    byte = bytes[++at];
    const point = at;
    for (; byte >= zero && byte <= nine; byte = bytes[++at]) {
      if (mantissa < fullMantissa) {
        mantissa = mantissa * 10 + (byte - zero);
        exponent--;
      } else if (byte !== zero) inexact = true;
    }
    digits += at - point;
  }
  if (digits === 0) return Number.NaN;
  if ((byte | 32) === lowerE) {
    byte = bytes[++at];
    const down = byte === minus;
    if (down || byte === plus) byte = bytes[++at];
    const from = at;
    let power = 0;
    for (; byte >= zero && byte <= nine; byte = bytes[++at]) if (power < 1000) power = power * 10 + (byte - zero);
    if (at === from) return Number.NaN;
    exponent += down ? -power : power;
  }
  cursor.at = at;
  const size = scaled(mantissa, exponent, inexact);
  return negative ? -size : size;
}

/** mantissa · 10^exponent as f32 and ≥ 0, or NaN where it is not sure. */
function scaled(mantissa: number, exponent: number, inexact: boolean): number {
  if (mantissa === 0) return 0;
  if (exponent < -mostPower || exponent > mostPower) return Number.NaN;
  const value = exponent < 0 ? mantissa / powers[-exponent] : mantissa * powers[exponent];
  if (!inexact && exponent >= -mostExact && exponent <= mostExact) return Math.fround(value);
  const least = Math.fround(value * (1 - doubt));
  return least === Math.fround(value * (1 + doubt)) ? least : Number.NaN;
}
