/** The list of methods: what is made from it, and what it must keep. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { matrix } from '../../src/data/matrix.js';
import type { Engine } from '../../src/engine.js';
import { InputError } from '../../src/errors.js';
import { printProgram } from '../../src/graph/print.js';
import type { Program } from '../../src/graph/program.js';
import type { FitOptions } from '../../src/methods/factorization.js';
import { type Method, methodOf, methods, methodsWith } from '../../src/methods/methods.js';
import { programFor } from '../../src/methods/program-for.js';
import { transform } from '../../src/models/apply.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const engine = createReferenceEngine();
const names = Object.keys(methods) as Method[];
const X = randomLowRank(11, 9, 3, { seed: 4, noise: 0.1 });
const labels = Array.from({ length: X.cols }, (_, c) => 'ab'[c % 2]);
const ranksOf = (name: Method) => (methodOf(name).layers === 'one' ? 3 : [3, 2]);
const short = { maxIterations: 2, svdBound: false };

/** An engine that tells the first program it is given, and goes no further. */
async function programOf(factorize: (engine: Engine) => Promise<unknown>): Promise<Program> {
  let seen: Program | undefined;
  const telling = {
    ...engine,
    prepare: (program: Program) => {
      seen = program;
      throw new Error('seen');
    },
  };
  await expect(factorize(telling as Engine)).rejects.toThrow('seen');
  return seen!;
}

describe.each(names)('%s', (name) => {
  const { options, fit: factorize } = methodOf(name);
  const fitWith = (more: object) => factorize(engine, X, { ranks: ranksOf(name), ...short, ...more } as FitOptions);

  test('is named as in the list', () => {
    expect(methods[name].name).toBe(name);
  });

  test('programFor makes the program that a fit runs', async () => {
    const shape = { rows: X.rows, cols: X.cols, ranks: ranksOf(name), restarts: 2 };
    const plain = await programOf((e) => factorize(e, X, { ranks: ranksOf(name), restarts: 2 }));
    expect(printProgram(programFor(name, shape))).toBe(printProgram(plain));
    if ('weights' in options) {
      const weights = matrix(X.rows, X.cols, new Float32Array(X.data.length).fill(1));
      const weighted = await programOf((e) => factorize(e, X, { ranks: ranksOf(name), restarts: 2, weights } as FitOptions));
      expect(printProgram(programFor(name, { ...shape, weighted: true }))).toBe(printProgram(weighted));
    }
  });

  test('with labels, too, or it takes none', async () => {
    const shape = { rows: X.rows, cols: X.cols, ranks: ranksOf(name), classes: 2 };
    if (!('labels' in options)) {
      expect(() => programFor(name, shape)).toThrow(`${name} takes no labels`);
      return;
    }
    // How much the labels weigh depends on the data, so that numbers may differ; operations may not.
    const kinds = ({ sections }: Program) =>
      Array.from(Object.entries(sections), ([section, list]) => [section, list.map(({ kind }) => kind)]);
    const supervised = await programOf((e) => factorize(e, X, { ranks: ranksOf(name), labels } as FitOptions));
    expect(kinds(programFor(name, shape))).toEqual(kinds(supervised));
  });

  test('an option that it does not have is refused, and the nearest is named', async () => {
    await expect(fitWith({ maxIteration: 3 })).rejects.toThrow(`${name} has no option 'maxIteration'. Did you mean 'maxIterations'?`);
    await expect(fitWith({ colour: 'red' })).rejects.toThrow(/has no option 'colour'\. It has .*checkEvery/);
    await expect(fitWith({ maxIteration: 3 })).rejects.toThrow(InputError);
    await expect(fitWith({ colour: undefined })).resolves.toMatchObject({ method: name });
  });

  test('earlier names are refused, and the present ones named', async () => {
    await expect(fitWith({ rank: 3 })).rejects.toThrow("'rank' any more: it is now 'ranks'");
    if (!('mask' in options)) await expect(fitWith({ mask: X })).rejects.toThrow("'mask' any more: it is now 'weights'");
    for (const [old, now] of Object.entries(methodOf(name).renamed ?? {}))
      await expect(fitWith({ [old]: 1 })).rejects.toThrow(`it is now ${now}`);
  });

  test('values that an option does not take are refused by its name', async () => {
    for (const [option, { kind, needs }] of Object.entries(options)) {
      if (['matrix', 'ownMatrix', 'labels', 'data'].includes(kind)) continue;
      const beside = needs ? { [needs.option]: needs.option === 'labels' ? labels : needs.values?.[0] } : {};
      await expect(fitWith({ ...beside, [option]: 'no such value' }), option).rejects.toThrow(option);
    }
  });

  test('what does nothing without another option is refused', async () => {
    for (const [option, { needs, values }] of Object.entries(options)) {
      if (!needs || options[needs.option].default === needs.values?.[0]) continue;
      const value = { choice: values?.[0], layerList: [0], labels, atLeastZero: 1 }[options[option].kind as string] ?? 2;
      await expect(fitWith({ [option]: value }), option).rejects.toThrow(`${option} does nothing without ${needs.option}`);
    }
  });

  test('transform gives an S of every layer', async () => {
    const model = await fitWith({});
    const S = await transform(engine, model as Parameters<typeof transform>[1], X);
    expect(S.map(({ rows, cols }) => [rows, cols])).toEqual(model.S.map(({ rows, cols }) => [rows, cols]));
    await expect(transform(engine, model as Parameters<typeof transform>[1], X, { iterations: 3 } as object)).rejects.toThrow(InputError);
  });
});

test('an option means the same in every method that has it', () => {
  for (const option of new Set(names.flatMap((name) => Object.keys(methods[name].options)))) {
    const kinds = new Set(methodsWith(option).map((name) => methodOf(name).options[option].kind.replace('choices', 'choice')));
    expect([option, ...kinds]).toHaveLength(2);
  }
});

test('a program for a method that is none, or with options of another, is refused', () => {
  const shape = { rows: 9, cols: 8, ranks: 2 };
  expect(() => programFor('pca' as 'nmf', shape)).toThrow(`There is no method "pca"; there are ${names.join(', ')}.`);
  expect(() => programFor('neural', { ...shape, solver: 'mu' } as object as typeof shape)).toThrow(/has no option 'solver'/);
  expect(() => programFor('deep', { ...shape, weighted: true })).toThrow(/deep takes no weights/);
  expect(() => programFor('unfolded', { ...shape, classes: 2 })).toThrow(/unfolded takes no labels/);
});

describe('in the docs', () => {
  const mark = (yes: boolean) => (yes ? 'yes' : '');

  test("the README's table of methods is that of the list", async () => {
    const rows = names.map((name) => {
      const { summary, layers, signed, options, fit } = methodOf(name);
      const negative = signed.X ? 'yes' : '';
      return `| \`${fit.name}\` | \`${name}\` | ${summary} | ${layers} | ${mark('labels' in options)} | ${mark('weights' in options)} | ${negative} |`;
    });
    const table = ['| function | `--method` | | layers | labels | weights | negative X |', '|---|---|---|---|---|---|---|', ...rows].join(
      '\n',
    );
    const readme = await readFile('README.md', 'utf8');
    expect(readme.slice(readme.indexOf('| function | `--method` |')).split('\n\n')[0]).toBe(table);
  });

  // Written by: npx vitest run test/methods/methods.test.ts -u
  test('docs/options.md lists the options of every method', async () => {
    const sections = names.map((name) => {
      const { summary, options, fit } = methodOf(name);
      const rows = Object.entries(options).map(([option, { help, default: byDefault, values, needs, factors }]) => {
        const told =
          byDefault === undefined ? '' : typeof byDefault === 'number' ? String(Number(byDefault.toPrecision(4))) : String(byDefault);
        const needed = needs ? `${needs.option}${needs.values ? ` ${needs.values.join(' or ')}` : ''}` : '';
        return `| \`${option}\` | ${help} | ${[...(values ?? []), ...(factors ? [`{ ${factors.join(', ')} }`] : [])].join(', ')} | ${told} | ${needed} |`;
      });
      return [
        `## \`${fit.name}\`, \`--method ${name}\``,
        '',
        `${summary}.`,
        '',
        '| option | | values | default | does nothing without |',
        '|---|---|---|---|---|',
        ...rows,
      ].join('\n');
    });
    const page = `# Options of the methods\n\nThese are the options beside those of every fit (\`ranks\`, \`seed\`, \`restarts\`, …). On the command line \`labelWeight\` is \`--label-weight\`, and so on. Matrices and labels are files there, and factors of a \`start\` are a folder. Options whose values cannot be written in a word have no flag.\n\n${sections.join('\n\n')}\n`;
    await expect(page).toMatchFileSnapshot('../../docs/options.md');
  });
});
