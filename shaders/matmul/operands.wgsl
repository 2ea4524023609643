// Part of the products: four entries of A or B, f32, or two to a word as 16-bit floats. Computed in f32, and no feature of the device is
// needed. Conditions are constants, so only one way is left of each.
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
