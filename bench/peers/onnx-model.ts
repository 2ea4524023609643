/** One multiplicative iteration as an ONNX model, written as protobuf bytes: field numbers are those of onnx.proto. */

type Bytes = number[];

const utf8 = new TextEncoder();

function varint(value: number): Bytes {
  const bytes: Bytes = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

const number = (field: number, value: number): Bytes => [...varint(field * 8), ...varint(value)];
const message = (field: number, content: Bytes): Bytes => [...varint(field * 8 + 2), ...varint(content.length), ...content];
const text = (field: number, value: string): Bytes => message(field, [...utf8.encode(value)]);

const float32 = 1;

/** NodeProto: input 1, output 2, name 3, op_type 4, attribute 5. */
function node(kind: string, inputs: readonly string[], output: string): Bytes {
  return message(1, [...inputs.flatMap((input) => text(1, input)), ...text(2, output), ...text(3, output), ...text(4, kind)]);
}

/** ValueInfoProto: name 1, type 2 → tensor_type 1 → elem_type 1, shape 2 → dim 1 → dim_value 1. */
function value(field: number, name: string, shape: readonly number[]): Bytes {
  const dims = shape.flatMap((size) => message(1, number(1, size)));
  return message(field, [...text(1, name), ...message(2, message(1, [...number(1, float32), ...message(2, dims)]))]);
}

/** TensorProto of one number: dims 1, data_type 2, name 8, raw_data 9. */
function scalar(name: string, entry: number): Bytes {
  return message(5, [...number(2, float32), ...text(8, name), ...message(9, [...new Uint8Array(new Float32Array([entry]).buffer)])]);
}

/** F ∘ (numerator / (denominator + ε)) as `out`. */
function update(factor: string, numerator: string, denominator: string, out: string): Bytes {
  return [
    ...node('Add', [denominator, 'epsilon'], `${out}/shifted`),
    ...node('Div', [numerator, `${out}/shifted`], `${out}/ratio`),
    ...node('Mul', [factor, `${out}/ratio`], out),
  ];
}

/** X (N×M), A (N×k), S (k×M) → nextA, nextS in Gram form. ModelProto: ir_version 1, graph 7, opset_import 8. */
export function multiplicativeModel(N: number, M: number, k: number, epsilon: number): Uint8Array {
  const nodes = [
    ...node('Transpose', ['S'], 'St'),
    ...node('MatMul', ['X', 'St'], 'XSt'),
    ...node('MatMul', ['S', 'St'], 'SSt'),
    ...node('MatMul', ['A', 'SSt'], 'ASSt'),
    ...update('A', 'XSt', 'ASSt', 'nextA'),
    ...node('Transpose', ['nextA'], 'At'),
    ...node('MatMul', ['At', 'X'], 'AtX'),
    ...node('MatMul', ['At', 'nextA'], 'AtA'),
    ...node('MatMul', ['AtA', 'S'], 'AtAS'),
    ...update('S', 'AtX', 'AtAS', 'nextS'),
  ];
  const graph = [
    ...nodes,
    ...text(2, 'multiplicative'),
    ...scalar('epsilon', epsilon),
    ...value(11, 'X', [N, M]),
    ...value(11, 'A', [N, k]),
    ...value(11, 'S', [k, M]),
    ...value(12, 'nextA', [N, k]),
    ...value(12, 'nextS', [k, M]),
  ];
  return Uint8Array.from([...number(1, 8), ...message(7, graph), ...message(8, number(2, 17))]);
}
