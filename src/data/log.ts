/**
 * The natural logarithm to the same bits in every engine. ECMAScript leaves the last bits of Math.log to the engine; +, −, ×, ÷ and the
 * square root alone are rounded correctly everywhere. Here is nothing else.
 */

/** ln 2 in two parts (those of fdlibm). The first has 32 bits, so its multiples by an exponent are exact. */
const ln2 = { high: 0.6931471803691238, low: 1.9082149292705877e-10 };

/** Terms f²ⁿ/(2n + 1) of the series. With |f| ≤ 3 − 2√2 the first that is left out is below 10⁻¹⁸. */
const terms = 11;

const view = new DataView(new ArrayBuffer(8));

/**
 * ln x of a positive number that is not subnormal, to 4 units of f64 rounding.
 *
 * With x = 2ᵉm and m from √½ to √2 it is e ln 2 + 2 artanh f, f = (m − 1)/(m + 1), and artanh f = f (1 + f²/3 + f⁴/5 + …).
 */
export function log(x: number): number {
  view.setFloat64(0, x);
  const high = view.getUint32(0);
  let exponent = (high >>> 20) - 1023;
  view.setUint32(0, (high & 0xfffff) | 0x3ff00000);
  let m = view.getFloat64(0);
  if (m > Math.SQRT2) {
    m /= 2;
    exponent++;
  }
  const f = (m - 1) / (m + 1);
  let sum = 0;
  for (let n = terms - 1; n > 0; n--) sum = (sum + 1 / (2 * n + 1)) * f * f;
  return exponent * ln2.high + (2 * f + (2 * f * sum + exponent * ln2.low));
}
