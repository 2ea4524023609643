/** Shares of topics over a field of the documents: a label, or the time of a date. */
import { quoted } from '../data/words.js';
import { InputError, ShapeError } from '../errors.js';
import { type Factors, ratio, topicLayers } from './layers.js';

/** What the groups are made by: see `Document`. */
export type Field = 'label' | 'date';

export interface GroupShares {
  /** The values of the field: times in their order, labels from the most frequent on. */
  groups: { name: string; documents: number }[];
  /** Documents without a value. They are in no group. */
  without: number;
  /** Of each layer, a row for each group: the part of the group's reconstruction that each topic carries. A row sums to 1. */
  layers: number[][][];
}

/**
 * The share of every topic in each group of documents.
 *
 * @param values One value for each document, null where there is none.
 * @throws InputError where there are fewer than two groups; ShapeError for another number of documents.
 */
export function sharesByGroup(model: Factors, values: readonly (string | null)[], field: Field = 'label'): GroupShares {
  const count = model.S[0].cols;
  if (values.length !== count) throw new ShapeError(`There are ${values.length} values of ${field} for ${count} documents.`);
  checkGroups(values, field);
  const members = new Map<string, number[]>();
  values.forEach((value, m) => {
    if (value === null) return;
    const group = members.get(value);
    if (group) group.push(m);
    else members.set(value, [m]);
  });
  const groups = [...members].map(([name, { length }]) => ({ name, documents: length }));
  const layers = topicLayers(model).map(({ ofTerms }, l) => {
    const { cols, data } = model.S[l];
    return groups.map(({ name }) => {
      const masses = ofTerms.map((sum, j) => sum * members.get(name)!.reduce((total, m) => total + data[j * cols + m], 0));
      const whole = masses.reduce((sum, mass) => sum + mass, 0);
      return masses.map((mass) => ratio(mass, whole));
    });
  });
  return sorted({ groups, without: values.filter((value) => value === null).length, layers }, field === 'date');
}

/** Throws InputError where the values make fewer than two groups. */
export function checkGroups(values: readonly (string | null)[], field: Field): void {
  const [first, second] = new Set(values.filter((value) => value !== null));
  if (second !== undefined) return;
  const found = first === undefined ? 'no document has one' : `every one that a document has is ${quoted(first)}`;
  throw new InputError(`The shares by ${field} need two values of it at least, but ${found}; choose another field, or leave it out.`, {
    option: `${field}Field`,
  });
}

function sorted({ groups, without, layers }: GroupShares, byName: boolean): GroupShares {
  const order = groups.map((_, g) => g);
  order.sort((a, b) => (byName ? 0 : groups[b].documents - groups[a].documents) || (groups[a].name < groups[b].name ? -1 : 1));
  return { groups: order.map((g) => groups[g]), without, layers: layers.map((rows) => order.map((g) => rows[g])) };
}

export type Period = 'decade' | 'year' | 'month';

/** A date as far as it is known. */
interface Day {
  year: number;
  month?: number;
}

/**
 * The period of each date, such as 1990s, 1994 or 1994-03; null for a document without a date that can be read, or without its month where
 * months are asked for. Without a period: months for at most two years, years for at most forty, else decades.
 *
 * Dates are read as 1994, 1994-03, 1994-03-07, 1994-03-07T12:00Z, with / or . in the place of -, the year last (7.3.1994) or the month by its
 * English name (March 7, 1994). 7.3.1994 has a year, and no month that is certain.
 *
 * @throws InputError where no date can be read.
 */
export function periodsOf(dates: readonly (string | number | null | undefined)[], period?: Period): (string | null)[] {
  const days = dates.map((date) => (date === null || date === undefined ? null : dayOf(String(date))));
  const years = days.flatMap((day) => (day ? [day.year] : []));
  if (years.length === 0) {
    const given = dates.find((date) => date !== null && date !== undefined && date !== '');
    const found = given === undefined ? 'No document has a date' : `No date can be read, such as ${quoted(String(given))}`;
    throw new InputError(`${found}; dates are read as 1994, 1994-03 or 1994-03-07.`, { option: 'dateField' });
  }
  const span = years.reduce((most, year) => Math.max(most, year)) - years.reduce((least, year) => Math.min(least, year)) + 1;
  const months = days.every((day) => day === null || day.month !== undefined);
  const unit = period ?? (span <= 2 && months ? 'month' : span <= 40 ? 'year' : 'decade');
  return days.map((day) => {
    if (day === null || (unit === 'month' && day.month === undefined)) return null;
    if (unit === 'decade') return `${Math.floor(day.year / 10)}0s`;
    const year = String(day.year);
    return unit === 'year' ? year : `${year}-${String(day.month).padStart(2, '0')}`;
  });
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

function dayOf(text: string): Day | null {
  const date = text.trim();
  const forwards = /^(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?(?:[T ].*)?$/.exec(date) ?? /^(\d{4})(\d\d)(\d\d)$/.exec(date);
  if (forwards) {
    const [year, month, day] = forwards.slice(1).map((part) => (part === undefined ? undefined : Number(part)));
    return isDay(month, day) ? dayIn(year!, month) : null;
  }
  const backwards = /^(?:(\d{1,2})[-/.])?(\d{1,2})[-/.](\d{4})(?:[T ].*)?$/.exec(date);
  if (backwards) {
    const [first, second, year] = backwards.slice(1).map((part) => (part === undefined ? undefined : Number(part)));
    // Day before month, or month before day: only a number above 12 tells.
    if (first === undefined) return isDay(second) ? dayIn(year!, second) : null;
    const possible = [
      [second, first],
      [first, second],
    ]
      .filter(([month, day]) => isDay(month, day))
      .map(([month]) => month); // prettier-ignore
    if (possible.length === 0) return null;
    return dayIn(year!, possible.every((month) => month === possible[0]) ? possible[0] : undefined);
  }
  const name = /\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b/i.exec(date);
  const year = /\b(\d{4})\b/.exec(date);
  return name && year ? dayIn(Number(year[1]), monthNames.indexOf(name[1].toLowerCase()) + 1) : null;
}

const isDay = (month = 1, day = 1) => month >= 1 && month <= 12 && day >= 1 && day <= 31;
const dayIn = (year: number, month?: number): Day | null => (year > 0 ? { year, month } : null);
