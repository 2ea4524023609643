// Part of the products: four entries of a matrix that is stored as 16-bit floats, of the eight in a vec4 of words. Computed in f32, and no
// feature of the device is needed.
fn unpacked(eight: vec4u, at: u32) -> vec4f {
  let four = select(eight.xy, eight.zw, at % 2u == 1u);
  return vec4f(unpack2x16float(four.x), unpack2x16float(four.y));
}
