import { describe, expect, test } from 'vitest';
import { random } from '../../src/data/random.js';
import { InputError } from '../../src/errors.js';
import { topicCoherence, topicDiversity } from '../../src/topics/coherence.js';

/*
 * Five documents, each shorter than either window, so that a window is a document and every P is a fifth of a count:
 *
 *   P(cat) = 4/5   P(dog) = 3/5   P(bird) = 2/5   P(fish) = 3/5   P(tree) = 1/5
 *   P(cat, dog) = 3/5   P(cat, bird) = P(dog, bird) = 2/5   P(fish, tree) = 1/5   P(fish, cat) = 2/5   P(tree, cat) = 0
 */
const animals = ['cat dog bird', 'cat dog', 'cat fish', 'dog bird fish cat', 'fish tree'].map((text) => text.split(' '));

describe('coherence by hand', () => {
  const [birds, fish] = topicCoherence(
    [
      ['cat', 'dog', 'bird'],
      ['fish', 'tree', 'cat'],
    ],
    animals,
  );

  test('UMass: each word given those before it', () => {
    // (dog | cat) = ln (3/5 ÷ 4/5), (bird | cat) = ln (2/5 ÷ 4/5), (bird | dog) = ln (2/5 ÷ 3/5): their product is 3/4 · 1/2 · 2/3 = 1/4.
    expect(birds.uMass).toBeCloseTo(Math.log(1 / 4) / 3, 10);
    // (tree | fish) = ln (1/5 ÷ 3/5), (cat | fish) = ln (2/5 ÷ 3/5), (cat | tree) = ln ((0 + 1e-12) ÷ 1/5).
    expect(fish.uMass).toBeCloseTo((Math.log(1 / 3) + Math.log(2 / 3) + Math.log(5e-12)) / 3, 10);
  });

  test('C_UCI and C_NPMI: every pair', () => {
    // PMI(cat, dog) = ln (3/5 ÷ 12/25) = ln 5/4, PMI(cat, bird) = ln (2/5 ÷ 8/25) = ln 5/4, PMI(dog, bird) = ln (2/5 ÷ 6/25) = ln 5/3.
    expect(birds.cUci).toBeCloseTo((2 * Math.log(5 / 4) + Math.log(5 / 3)) / 3, 10);
    // NPMI divides them by −ln P(v, w): 0.223144 ÷ 0.510826, 0.223144 ÷ 0.916291, 0.510826 ÷ 0.916291.
    expect(birds.cNpmi).toBeCloseTo((0.43683 + 0.243529 + 0.557493) / 3, 5);
    // PMI(fish, tree) = ln (1/5 ÷ 3/25) = ln 5/3, PMI(fish, cat) = ln (2/5 ÷ 12/25) = ln 5/6, PMI(tree, cat) = ln (1e-12 ÷ 4/25).
    expect(fish.cUci).toBeCloseTo((Math.log(5 / 3) + Math.log(5 / 6) + Math.log(6.25e-12)) / 3, 8);
    // ÷ −ln 1/5 = 1.609438, ÷ −ln 2/5 = 0.916291, ÷ −ln 1e-12 = 27.631021: 0.317394, −0.198977, −0.933678.
    expect(fish.cNpmi).toBeCloseTo((0.317394 - 0.198977 - 0.933678) / 3, 5);
  });

  test('C_V: the cosine of each vector of NPMI with their sum', () => {
    // NPMI of a word with itself is ln (1/P) ÷ ln (1/P) = 1. With the NPMI above:
    //   cat  (1, .436830, .243529)   dog  (.436830, 1, .557493)   bird  (.243529, .557493, 1)   sum  (1.680359, 1.994323, 1.801022)
    //   cat · sum = 2.990138    |cat|² = 1 + .190820 + .059306 = 1.250126     |sum|² = 2.823606 + 3.977324 + 3.243680 = 10.044610
    //   dog · sum = 3.732410    |dog|² = .190820 + 1 + .310798 = 1.501618
    //   bird · sum = 3.322065   |bird|² = .059306 + .310798 + 1 = 1.370104
    const cosine = (product: number, squares: number) => product / Math.sqrt(squares * 10.04461);
    expect(birds.cV).toBeCloseTo((cosine(2.990138, 1.250126) + cosine(3.73241, 1.501618) + cosine(3.322065, 1.370104)) / 3, 5);
  });

  test('windows of two tokens', () => {
    // a b c a: the windows ab, bc, ca; b: one window. P(a) = 2/4, P(b) = 3/4, P(a, b) = 1/4: PMI = ln (1/4 ÷ 6/16) = ln 2/3.
    const [pair] = topicCoherence([['a', 'b']], [['a', 'b', 'c', 'a'], ['b']], { window: 2, windowOfCv: 2 });
    expect(pair.cUci).toBeCloseTo(Math.log(2 / 3), 10);
    expect(pair.cNpmi).toBeCloseTo(Math.log(2 / 3) / Math.log(4), 10);
    // Documents know no windows: P(a, b) = 1/2, P(a) = 1/2.
    expect(pair.uMass).toBeCloseTo(0, 10);
  });
});

describe('coherence beside gensim', () => {
  /*
   * gensim 4.2.0 (Debian's python3-gensim), with texts and topics as below:
   *
   *   dictionary = Dictionary(texts); corpus = [dictionary.doc2bow(t) for t in texts]
   *   CoherenceModel(topics=topics, texts=texts, corpus=corpus, dictionary=dictionary, coherence=c, processes=1).get_coherence_per_topic()
   */
  test('equal to its values', () => {
    const topics = [
      ['cat', 'dog', 'bird'],
      ['fish', 'tree', 'cat'],
    ];
    const gensim = {
      uMass: [-0.4620981203710747, -9.175220200087741],
      cUci: [0.31903757546702555, -8.489978528400234],
      cNpmi: [0.41261711955673847, -0.271753568805608],
      cV: [0.900118771891755, 0.35977223394226443],
    };
    const found = topicCoherence(topics, animals);
    for (const [measure, values] of Object.entries(gensim))
      for (const [t, value] of values.entries()) expect(found[t][measure as keyof typeof gensim], measure).toBeCloseTo(value, 12);
  });

  /*
   * Where words repeat within a window: UMass and C_V (documents shorter than its window) as above; C_UCI and C_NPMI by gensim's
   * log_ratio_measure on its InvertedIndexAccumulator(ids, dictionary).accumulate(texts, 10), which counts windows by sets, with its test
   * `word_id is not self._none_token` written as !=, since numpy's integers are never the same object.
   */
  test('equal to its values where windows are counted as sets', () => {
    const texts = [
      'sea ship x sail y sea z ship storm x y z wind sea q ship',
      'sail wind x y z q ship sea',
      'storm x storm y storm z',
      'x y z',
      'wind sail ship x y z q x y z q sea',
    ].map((text) => text.split(' '));
    const [first, second] = topicCoherence(
      [
        ['sea', 'ship', 'sail'],
        ['wind', 'storm', 'sea'],
      ],
      texts,
    );
    const close = (found: object, values: Record<string, number>) =>
      expect(found).toEqual(Object.fromEntries(Object.entries(values).map(([name, value]) => [name, expect.closeTo(value, 10)])));
    close(first, { uMass: 1.6666668045658962e-12, cUci: 0.12178690427877942, cNpmi: 0.25228633235150044, cV: 1 });
    close(second, { uMass: -0.5972531564054627, cUci: 0.166546439504467, cNpmi: 0.2134211102702904, cV: 0.6644334706386079 });
  });
});

test('windows are counted as one by one', () => {
  for (let seed = 0; seed < 30; seed++) {
    const { integer } = random(seed);
    const window = 1 + integer(6);
    const tokens = Array.from({ length: 1 + integer(4) }, () => Array.from({ length: integer(20) }, () => 'abcdefg'[integer(7)]));
    tokens.push(['a'], ['b', 'a']);
    const windows = tokens.flatMap((words) =>
      Array.from({ length: Math.max(1, words.length - window + 1) }, (_, start) => new Set(words.slice(start, start + window))),
    );
    const part = (...words: string[]) => windows.filter((one) => words.every((word) => one.has(word))).length / windows.length;
    const [{ cUci }] = topicCoherence([['a', 'b']], tokens, { window });
    expect(cUci, `seed ${seed}`).toBeCloseTo(Math.log((part('a', 'b') + 1e-12) / (part('a') * part('b'))), 9);
  }
});

test('bad input is named', () => {
  const refuse = (topics: string[][], tokens: string[][], message: RegExp, options = {}) => {
    expect(() => topicCoherence(topics, tokens, options)).toThrow(InputError);
    expect(() => topicCoherence(topics, tokens, options)).toThrow(message);
  };
  refuse([['cat', 'unicorn']], animals, /"unicorn" is in no document/);
  refuse([['cat', 'cat']], animals, /"cat" is twice/);
  refuse([['cat', 'dog']], [], /no documents/);
  refuse([['cat', 'dog']], animals, /window must be a positive integer/, { window: 0 });
  expect(topicCoherence([['cat'], []], animals)).toEqual([
    { uMass: null, cUci: null, cNpmi: null, cV: null },
    { uMass: null, cUci: null, cNpmi: null, cV: null },
  ]);
});

test('diversity: three of four words are different', () => {
  expect(
    topicDiversity([
      ['cat', 'dog'],
      ['cat', 'fish'],
    ]),
  ).toBe(3 / 4);
  expect(() => topicDiversity([[]])).toThrow(/no words/);
});
