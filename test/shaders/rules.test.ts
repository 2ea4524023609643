/** What the bundler refuses, so that kernels mean the same to every compiler of WGSL. */
import { describe, expect, test } from 'vitest';
import { checkPortable } from '../../scripts/shader-rules.mjs';

const shader = (body: string) => `
alias Tile = array<vec4f, 4u>;
const N: u32 = 4u; // @set
var<private> whole: Tile;
fn fill(c: ptr<function, Tile>, at: u32) {
  (*c)[at] = vec4f(1.0);
}
fn both(a: ptr<function, Tile>, b: ptr<function, Tile>) {
  (*a)[0] = (*b)[1];
}
fn shared(a: ptr<private, Tile>) {
  (*a)[0] = whole[1];
}
fn main() {
${body}
}
`;

describe('refused', () => {
  test.each([
    [
      'an array spelled out where the pointer names its alias',
      'var c: array<vec4f, 4u>;\nfill(&c, 1u);',
      /declared as array<vec4f, 4u>.*write 'var c: Tile'/,
    ],
    ['a variable without a written type', 'var c = Tile();\nfill(&c, 1u);', /has no written type.*write 'var c: Tile'/],
    ['a pointer to an element', 'var c: array<Tile, 2u>;\nfill(&c[0], 1u);', /'&c\[0\]'.*whole variable only/],
    ['two pointers to one variable', 'var c: Tile;\nboth(&c, &c);', /two pointers to c/],
    ['a pointer to a variable that the function uses by name', 'shared(&whole);', /passes a pointer to whole, which shared uses by name/],
    [
      'a loop variable that only the first round clears',
      'for (var t = 0u; t < N; t++) {\n  var count: u32;\n  count += 1u;\n}',
      /'var count: u32;' stands in a loop.*write 'var count = u32\(\);'/,
    ],
    [
      'the same in a block within the loop',
      'while (true) {\n  if (N > 1u) {\n    var x: vec4f; // cleared?\n  }\n}',
      /'var x: vec4f;' stands in a loop/,
    ],
    [
      'the same in a loop written out within a loop',
      'loop {\n  for (var i = 0u; i < N; i++) { // @unroll\n    var x: f32;\n  }\n}',
      /'var x: f32;' stands in a loop/,
    ],
  ])('%s', (_, body, message) => {
    expect(() => checkPortable(shader(body))).toThrow(message);
  });
});

describe('taken', () => {
  test.each([
    ['a variable declared by the alias', 'var c: Tile;\nfill(&c, select(1u, 2u, N < 3u));'],
    ['two variables', 'var c: Tile;\nvar d: Tile;\nboth(&c, &d);'],
    ['a loop variable with an initialiser', 'for (var t = 0u; t < N; t++) {\n  var x = Tile();\n  var y: f32 = 0.0;\n}'],
    ['a variable in a loop that is written out', 'for (var i = 0u; i < N; i++) { // @unroll\n  var x: f32;\n}'],
    ['a variable behind a loop', 'for (var t = 0u; t < N; t++) { }\nvar x: f32;'],
  ])('%s', (_, body) => {
    expect(() => checkPortable(shader(body))).not.toThrow();
  });
});
