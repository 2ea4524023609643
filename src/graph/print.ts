import { inPlace, type MapFunction, mapFunctions, type Operation, type OperationOf } from './operations.js';
import type { Program } from './program.js';
import { shapeText } from './tensor.js';

/** The program as text: its tensors, then each section line by line, as a paper would write it. */
export function printProgram(program: Program): string {
  const lines = [`program ${program.name}, ${program.restarts} restart${program.restarts === 1 ? '' : 's'}`];
  for (const role of ['input', 'state'] as const) {
    for (const tensor of program.tensors) {
      if (tensor.role !== role) continue;
      lines.push(
        `  ${role.padEnd(6)} ${tensor.name.padEnd(10)} ${shapeText(tensor)}${tensor.form === 'csr' ? ` csr, ${tensor.entries} entries` : ''}`,
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
  const names = operation.inputs.map((input) => input.name);
  const out = operation.outputs[0].name;
  switch (operation.kind) {
    case 'matmul': {
      const { epilogue, addScale } = operation.attributes;
      const product = productText(names, operation.attributes);
      if (epilogue === 'hadamard') return `${out} = ${names[2]} ∘ (${product})`;
      if (epilogue === 'add') return `${out} = ${product} + ${addScale === 1 ? '' : `${addScale} `}${names[2]}`;
      return `${out} = ${product}`;
    }
    case 'gram':
      return `${out} = ${operation.attributes.of === 'columns' ? `${names[0]}ᵀ ${names[0]}` : `${names[0]} ${names[0]}ᵀ`}`;
    case 'combine': {
      const { scale, otherScale } = operation.attributes;
      return `${out} = ${scale === 1 ? '' : `${scale} `}${names[0]} + ${otherScale === 1 ? '' : `${otherScale} `}${names[1]}`;
    }
    case 'nnls':
      return `${out} = nnls(${names.join(', ')}${operation.attributes.warm ? `, warm ${out}` : ''})`;
    case 'multiplicativeUpdate': {
      const { power } = operation.attributes;
      return power === 1
        ? `${out} = ${out} ∘ ${names[0]} / (${names[1]} + ε)`
        : `${out} = ${out} ∘ (${names[0]} / (${names[1]} + ε))^${power}`;
    }
    case 'halsUpdate':
      return `${out} = hals of ${operation.attributes.of}(${names.join(', ')}, ${out})`;
    case 'map':
      return `${out} = ${mapText(operation.attributes, names)}`;
    case 'shift':
      return `${out} = ${names[0]} + ${operation.attributes.scale} ${names[1]}`;
    case 'residualNorm':
      return `${out} = ‖${operation.attributes.weighted ? `${names[3]} ∘ ` : ''}(${names[0]} − ${names[1]} ${names[2]})‖²`;
    case 'reduce':
      return `${out} = ${{ sum: 'sum', squares: 'sum of squares', maxAbs: 'max abs' }[operation.attributes.of]}(${names[0]})`;
    default:
      return `${out} = ${operation.kind}(${[...names, ...(inPlace.has(operation.kind) ? [out] : [])].join(', ')})`;
  }
}

/** A product without what its epilogue does. */
export function productText([A, B]: readonly string[], { scale, transposeA, transposeB }: OperationOf<'matmul'>['attributes']): string {
  return `${scale === 1 ? '' : `${scale} `}${A}${transposeA ? 'ᵀ' : ''} ${B}${transposeB ? 'ᵀ' : ''}`;
}

/** The formula of a map function with its tensors and constants written in. */
function mapText({ fn, p, q }: { fn: MapFunction; p: number; q: number }, [x, y, w]: readonly string[]): string {
  const words: Record<string, string | number> = { x, y, w, p, q };
  return mapFunctions[fn].formula.replace(/\b[xywpq]\b/g, (letter) => String(words[letter]));
}
