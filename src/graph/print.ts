import { definitionOf, type Operation, readOutputs } from './operations.js';
import type { Program } from './program.js';
import { shapeText, type Tensor } from './tensor.js';

/** The program as text: its tensors, then each section line by line, as a paper would write it. */
export function printProgram(program: Program): string {
  const lines = [`program ${program.name}, ${program.restarts} restart${program.restarts === 1 ? '' : 's'}`];
  for (const role of ['input', 'state'] as const) {
    for (const tensor of program.tensors) {
      if (tensor.role !== role) continue;
      lines.push(
        `  ${role.padEnd(6)} ${tensor.name.padEnd(10)} ${shapeText(tensor)}${tensor.form === 'dense' ? '' : ` ${tensor.form}, ${tensor.entries} entries`}`,
      );
    }
  }
  for (const [name, operations] of Object.entries(program.sections)) {
    lines.push(`  ${name}:`);
    const texts = operations.map(operationText);
    const width = Math.max(0, ...texts.map((text) => text.length));
    operations.forEach((operation, i) => {
      const out = operation.outputs[0];
      lines.push(`    ${texts[i].padEnd(width)}  [${shapeText(out)}]${out.role === 'state' ? ' state' : ''}`);
    });
  }
  return lines.join('\n');
}

export function operationText(operation: Operation): string {
  const { kind, inputs, outputs, attributes } = operation;
  const names = (tensors: readonly Tensor[]) => tensors.map(({ name }) => name);
  const text = definitionOf(kind).text?.(names(inputs), names(outputs), attributes);
  return text ?? `${outputs[0].name} = ${kind}(${names([...inputs, ...readOutputs(operation)]).join(', ')})`;
}
