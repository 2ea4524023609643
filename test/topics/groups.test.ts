import { describe, expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { periodsOf, sharesByGroup } from '../../src/topics/groups.js';

describe('shares by group', () => {
  // Σψ = 2 and 1; the documents' masses are 2 · (1, 0, 2, 1) and 1 · (2, 3, 0, 2).
  const model = { A: [matrix(2, 2, [2, 0, 0, 1])], S: [matrix(2, 4, [1, 0, 2, 1, 2, 3, 0, 2])] };

  test('sum the reconstruction of the documents', () => {
    const { groups, without, layers } = sharesByGroup(model, ['x', 'y', 'x', null]);
    expect(groups).toEqual([
      { name: 'x', documents: 2 },
      { name: 'y', documents: 1 },
    ]);
    expect(without).toBe(1);
    // x: 2 + 4 of the first, 2 + 0 of the second; y: 0 and 3.
    expect(layers).toEqual([
      [
        [6 / 8, 2 / 8],
        [0, 1],
      ],
    ]);
  });

  test('times are in their order, labels by their number', () => {
    expect(sharesByGroup(model, ['2001', '1999', '2001', '2001'], 'date').groups.map(({ name }) => name)).toEqual(['1999', '2001']);
    expect(sharesByGroup(model, ['a', 'b', 'b', 'c']).groups.map(({ name }) => name)).toEqual(['b', 'a', 'c']);
  });

  test('one value says nothing', () => {
    expect(() => sharesByGroup(model, ['x', 'x', null, 'x'])).toThrow(
      /two values of it at least, but every one that a document has is "x"/,
    );
    expect(() => sharesByGroup(model, [null, null, null, null])).toThrow(/no document has one/);
  });
});

describe('dates', () => {
  const months = (...dates: (string | number | undefined)[]) => periodsOf(dates, 'month');

  test('in the forms that the docstring names', () => {
    expect(months('1994-03-07', '1994-03', '1994/3/7', '1994.03.07', '1994-03-07T12:00Z', '19940307', '1994-03-07 10:11')).toEqual(
      new Array(7).fill('1994-03'),
    );
    expect(months('March 7, 1994', '7 Mar 1994', 'Mon, 07 Mar 1994 23:30:00 -0800')).toEqual(new Array(3).fill('1994-03'));
    // Only a number above 12 tells a day from a month.
    expect(months('17.3.1994', '3/17/1994', '3/3/1994', '7.3.1994')).toEqual(['1994-03', '1994-03', '1994-03', null]);
    expect(periodsOf(['7.3.1994', 1994, '1994'], 'year')).toEqual(['1994', '1994', '1994']);
  });

  test('what is no date has no period', () => {
    expect(months('1994-13', '1994-02-32', 'soon', '', '0000', undefined, '32.13.1994', '1994-03')).toEqual([
      ...new Array(7).fill(null),
      '1994-03',
    ]);
    expect(() => periodsOf(['soon', 'later'])).toThrow(/No date can be read, such as "soon"/);
    expect(() => periodsOf([undefined, null])).toThrow(/No document has a date/);
  });

  test('the span chooses the period', () => {
    expect(periodsOf(['1994-03', '1995-01'])).toEqual(['1994-03', '1995-01']);
    expect(periodsOf(['1994', '1995-01'])).toEqual(['1994', '1995']);
    expect(periodsOf(['1790', '2021-01-02'])).toEqual(['1790s', '2020s']);
    expect(periodsOf(['1994', '1999'])).toEqual(['1994', '1999']);
  });
});
