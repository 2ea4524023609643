// Part of the products: four entries of A or B, as f32, or two to a word as 16-bit floats. All is computed in f32, and no feature of the
// device is needed. Conditions are constants, so only one way is left of each. Where unpack2x16float is refused, unpackBits takes its
// place (src/webgpu/device/half-decoding.ts).
fn readA(at: u32) -> vec4f {
  if (HALF_A) { return unpacked(A[at / 2u], at); }
  return bitcast<vec4f>(A[at]);
}

fn readB(at: u32) -> vec4f {
  if (HALF_B) { return unpacked(B[at / 2u], at); }
  return bitcast<vec4f>(B[at]);
}

fn unpacked(eight: vec4u, at: u32) -> vec4f {
  let four = select(eight.xy, eight.zw, at % 2u == 1u);
  return vec4f(unpack2x16float(four.x), unpack2x16float(four.y));
}

fn unpackBits(word: u32) -> vec2f {
  return vec2f(fromHalf(word & 0xffffu), fromHalf(word >> 16u));
}

// Exact for every finite 16-bit float: normal ones by their bits, smaller ones as multiples of 2^-24, which f32 holds as normal numbers.
fn fromHalf(half: u32) -> f32 {
  let magnitude = half & 0x7fffu;
  let normal = bitcast<f32>((magnitude << 13u) + 0x38000000u);
  let value = select(normal, f32(magnitude) * 0x1p-24f, magnitude < 0x400u);
  return select(value, -value, half >= 0x8000u);
}
