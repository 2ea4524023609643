// The rules that make faults of lines of the sources: each finds something in a line of code and says how it would stand there wrongly.

/** Kind of fault → [what to find in a line of WGSL, what to write instead]. */
const wgsl = {
  index: [
    [/ \/ 4u/, ''],
    [/ % (\w+)/, ' / $1'],
    [/ \+ 1u\b/, ''],
    [/\[j\]\[i\]/, '[i][j]'],
    [/ \* K \+ j/, ' + j'],
  ],
  sign: [
    [/ \+ (?!1u\b)/, ' - '],
    [/ - (?!1u\b)/, ' + '],
    [/ \+= /, ' -= '],
    [/fma\(-/, 'fma('],
    [/= -/, '= '],
  ],
  bound: [
    [/ < /, ' <= '],
    [/ <= /, ' < '],
    [/ > /, ' >= '],
    [/ >= /, ' > '],
    [/min\((\w+), /, 'max($1, '],
    [/max\(/, 'min('],
  ],
  stride: [
    [/\b([A-Z]\w*_)?BATCH\b/, '0u'],
    [/ \* ((?:[A-Z]+_)?STRIDE)\b/, ' * ($1 + 1u)'],
    [/\b(?:place\.)?restart \* /, '0u * '],
  ],
  barrier: [[/^(\s*)workgroupBarrier\(\);/, '$1']],
  mask: [
    [/kept\(((?:[^(),]|\([^()]*\))+), [^;]*?\)(?=[,;)])/, '$1'],
    [/select\(0\.0, /, 'select(1.0, '],
    [/select\(vec4f\(0\.0\), /, 'select(vec4f(1.0), '],
    [/ && /, ' || '],
    [/ & (?=[(\w!])/, ' | '],
    [/if \(!/, 'if ('],
    [/ == 0u\b/, ' != 0u'],
  ],
  epsilon: [
    [/ \+ EPSILON/, ''],
    [/ \+ GUARD/, ''],
    [/1e-6/, '1e-3'],
    [/\* TOLERANCE/, '* 1e3'],
    [/ \+ P\)/, ')'],
  ],
  transpose: [
    [/transpose\(/, '('],
    [/\(TRANSPOSE_([AB])\)/, '(!TRANSPOSE_$1)'],
    [/\bOF_ROWS\)/, '!OF_ROWS)'],
  ],
  padding: [
    [/ < COLS/, ' < COLS + 1u'],
    [/result\[at \+ pad\] = 0\.0/, 'result[at + pad] = 1.0'],
    [/column < COLS/, 'true'],
    [/vec4u\(COLS\)/, 'vec4u(COLS + 3u)'],
    [/row >= ROWS \|\| /, ''],
    [/ \|\| colTile >= C_STRIDE/, ''],
  ],
};

/** The same for TypeScript. */
const typescript = {
  index: [
    [/\[i \* (\w+(?:\.\w+)?) \+ j\]/, '[j * $1 + i]'],
    [/ \+ 1\b/, ''],
    [/ % /, ' / '],
    [/\[0\]/, '[1]'],
    [/ \/ 4\b/, ''],
  ],
  sign: [
    [/ \+ (?=[\w(])/, ' - '],
    [/ - (?=[\w(])/, ' + '],
    [/ \+= /, ' -= '],
    [/scale: -1/, 'scale: 1'],
    [/: -(\w)/, ': $1'],
  ],
  bound: [
    [/ < /, ' <= '],
    [/ <= /, ' < '],
    [/ > /, ' >= '],
    [/ >= /, ' > '],
    [/Math\.min\(/, 'Math.max('],
    [/Math\.max\(/, 'Math.min('],
    [/Math\.ceil\(/, 'Math.floor('],
  ],
  stride: [
    [/strideOf\((\w+)\)/, '($1.cols)'],
    [/restartStep\((\w+)\)/, '0'],
    [/ \* \w*[sS]tride\b/, ''],
  ],
  mask: [
    [/ && /, ' || '],
    [/ \|\| /, ' && '],
    [/ === /, ' !== '],
    [/ !== /, ' === '],
    [/if \(!/, 'if ('],
  ],
  epsilon: [
    [/ \+ epsilon/, ''],
    [/ \+ guard\b/, ''],
  ],
  transpose: [
    [/\bT\((\w+)\)/, '$1'],
    [/transposeA\b(?=[,) ?])/, '!transposeA'],
    [/ofRows \? /, '!ofRows ? '],
  ],
};

const isCode = (line) =>
  !/^\s*(\/\/|\*|\/\*|import|export type|interface|type )/.test(line) && !/^const \w+: \w+ = .*\/\/ @/.test(line.trim());

/** Every fault that the rules make of a text: { kind, line (from 0), before, after }, lines without their indentation. */
export function candidates(file, text) {
  const rules = Object.entries(file.endsWith('.wgsl') ? wgsl : typescript);
  const found = [];
  let comment = false;
  text.split('\n').forEach((whole, line) => {
    const ended = comment && whole.includes('*/');
    if (/^\s*\/\*/.test(whole)) comment = !whole.includes('*/');
    else if (comment) comment = !ended;
    if (comment || ended || !isCode(whole)) return;
    const [code] = whole.split(/\s+\/\/(?! @)/);
    if (/Error\(|=>\s*`|throw |^\s*`|\$\{/.test(code)) return; // messages
    for (const [kind, pairs] of rules) {
      for (const [find, write] of pairs) {
        const after = code.replace(find, write);
        if (after !== code) found.push({ kind, line, before: code.trim(), after: after.trim() });
      }
    }
  });
  return found;
}

/** Where a fault goes: the number of its line among the lines of the file that read the same, -1 if it is not one of them. */
export function lineOf(text, { before, at = 0 }) {
  let seen = 0;
  return text.split('\n').findIndex((line) => line.split(/\s+\/\/(?! @)/)[0].trim() === before && seen++ === at);
}

/** The text with the fault, or undefined where it does not apply any more. */
export function planted(text, fault) {
  const lines = text.split('\n');
  const at = lineOf(text, fault);
  if (at === -1) return undefined;
  lines[at] = lines[at].replace(fault.before, () => fault.after);
  return lines.join('\n');
}

export function nameOf({ file, before, after, at = 0 }) {
  return `${file}: ${before} → ${after}${at > 0 ? ` (number ${at + 1})` : ''}`;
}
