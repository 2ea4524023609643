/**
 * What WGSL allows and compilers other than Tint get wrong. naga (wgpu: Firefox, Deno, Servo) takes an alias and the type it names for
 * two types behind a pointer, panics on a pointer to an element, does not see that two pointers lead to one variable, and clears a
 * variable that is declared in a loop only in the first round. Throws an Error that quotes the line, says why and what to write instead.
 */
export function checkPortable(code) {
  const lines = code.split('\n').map((line) => line.replace(/\/\/(?!\s*@unroll).*$/, ''));
  checkLoops(lines);
  const text = lines.join('\n');
  for (const one of functionsOf(text)) checkCalls(text, one);
}

/** Variables declared in a loop have an initialiser. A loop that is written out is none: each of its rounds has a block of its own. */
function checkLoops(lines) {
  const blocks = []; // of every open brace, whether it is that of a loop
  for (const line of lines) {
    const declared = /^\s*var (\w+)\s*:\s*([^=;]+);/.exec(line);
    if (declared && blocks.includes(true)) {
      const [, name, type] = declared;
      throw new Error(
        `'${line.trim()}' stands in a loop without an initialiser, and naga clears it in the first round only; write 'var ${name} = ${type.trim()}();'`,
      );
    }
    const isLoop = /^\s*(for|while|loop)\b/.test(line) && !/@unroll/.test(line);
    for (const [brace] of line.matchAll(/[{}]/g)) {
      if (brace === '{') blocks.push(isLoop);
      else blocks.pop();
    }
  }
}

/** Functions that take pointers: name, what each parameter points to (or undefined), body. */
function functionsOf(text) {
  return Array.from(text.matchAll(/\bfn (\w+)\(([^{]*)\)[^{]*\{/g), ({ 0: head, 1: name, 2: parameters, index }) => {
    const types = parametersOf(parameters).map((parameter) => /:\s*ptr<\s*\w+\s*,(.+)>$/.exec(parameter.trim())?.[1].trim());
    return { name, types, body: bodyAt(text, index + head.length) };
  }).filter(({ types }) => types.some((type) => type !== undefined));
}

function checkCalls(text, { name, types, body }) {
  for (const { index } of text.matchAll(new RegExp(`(?<!fn )\\b${name}\\(`, 'g'))) {
    const inside = argumentsAt(text, index + name.length + 1);
    const call = `${name}(${inside})`;
    const given = parametersOf(inside).map((argument) => argument.trim());
    const pointers = given.flatMap((argument, i) => (types[i] === undefined ? [] : [{ argument, type: types[i] }]));
    const seen = new Set();
    for (const { argument, type } of pointers) {
      const variable = /^&(\w+)$/.exec(argument)?.[1];
      if (variable === undefined) {
        throw new Error(`'${call}' passes '${argument}', and naga takes a pointer to a whole variable only; pass '&variable' and an index`);
      }
      if (seen.has(variable)) throw new Error(`'${call}' passes two pointers to ${variable}, which naga takes for two variables; pass one`);
      seen.add(variable);
      const declaration = new RegExp(`\\bvar(<\\w+>)? ${variable}\\s*:\\s*([^=;]+)[=;]`).exec(text.slice(0, index)) ?? [];
      const [found, moduleWide, declared] = declaration;
      if (found === undefined || declared.trim() !== type) {
        const is = found === undefined ? 'has no written type' : `is declared as ${declared.trim()}`;
        throw new Error(
          `'${call}': ${variable} ${is}, and naga takes it for a ${type} only if it is declared by that name; write 'var ${variable}: ${type}'`,
        );
      }
      if (moduleWide && new RegExp(`\\b${variable}\\b`).test(body)) {
        throw new Error(`'${call}' passes a pointer to ${variable}, which ${name} uses by name, too; naga takes them for two variables`);
      }
    }
  }
}

/** The text up to the brace that closes the one before `start`. */
function bodyAt(text, start) {
  let open = 1;
  let end = start;
  for (; end < text.length && open > 0; end++) open += text[end] === '{' ? 1 : text[end] === '}' ? -1 : 0;
  return text.slice(start, end);
}

/** The text up to the bracket that closes the one before `start`. */
function argumentsAt(text, start) {
  let open = 1;
  let end = start;
  for (; end < text.length; end++) {
    open += text[end] === '(' ? 1 : text[end] === ')' ? -1 : 0;
    if (open === 0) break;
  }
  return text.slice(start, end);
}

/** Splits at the commas that stand in no bracket; `<` is one where it follows a name, as in `ptr<function, Tile>`. */
function parametersOf(text) {
  const parts = [''];
  const open = [];
  for (const [at, letter] of [...text].entries()) {
    if (letter === '(' || letter === '[' || (letter === '<' && /\w/.test(text[at - 1] ?? ''))) open.push(letter);
    else if (letter === ')' || letter === ']' || (letter === '>' && open.at(-1) === '<')) open.pop();
    if (letter === ',' && open.length === 0) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts;
}
