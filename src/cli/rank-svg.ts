/** The curves of a survey or a sweep of ranks as SVG: shapes and text only, which every viewer draws. */
import type { RankSurvey } from '../ranks/survey.js';
import { escaped } from './table1-svg.js';

export interface Curve {
  name: string;
  colour: string;
  /** NaN where there is none. */
  values: number[];
  /** Half the length of a whisker at each value. */
  errors?: number[];
}

export interface Panel {
  title: string;
  curves: Curve[];
  /** The axis goes from here; its upper end where it is not that of the values. */
  from: number;
  to?: number;
}

const [width, height, left, right, top, bottom, gap] = [420, 230, 60, 20, 64, 44, 90];

/** Errors of the ranks in one panel, agreement and stability in another; the chosen rank is marked in both. */
export function rankSvg({ results, chosen, reason }: RankSurvey): string {
  const ranks = results.map(({ rank }) => rank);
  const heldOut = results.flatMap((result) => result.heldOut ?? []);
  const stable = results.flatMap((result) => result.stability ?? []);
  const panels: Panel[] = [
    {
      title: 'relative error',
      from: 0,
      curves: [
        ...(heldOut.length > 0
          ? [
              {
                name: 'held out ± standard error',
                colour: '#a3195b',
                values: heldOut.map(({ error }) => error),
                errors: heldOut.map(({ standardError }) => standardError),
              },
            ]
          : []),
        { name: 'of the fit', colour: '#1b6ca8', values: results.map(({ relativeError }) => relativeError) },
      ],
    },
    {
      title: 'agreement of the fits',
      from: Math.min(0, ...stable.map(({ leastOfA }) => leastOfA)),
      to: 1,
      curves: [
        { name: 'cophenetic', colour: '#1b6ca8', values: results.map(({ cophenetic }) => cophenetic) },
        { name: 'dispersion', colour: '#2e8540', values: results.map(({ dispersion }) => dispersion) },
        ...(stable.length > 0
          ? [{ name: 'least silhouette of A', colour: '#d9822b', values: stable.map(({ leastOfA }) => leastOfA) }]
          : []),
      ],
    },
  ];
  return curvesSvg({ title: reason, panels, places: ranks, names: ranks.map(String), axis: 'rank', marked: ranks.indexOf(chosen) });
}

/** Where the values of the curves stand along the axis, and what is written there. */
interface Axis {
  places: readonly number[];
  names: readonly string[];
  axis: string;
  /** The place that is made prominent. */
  marked?: number;
}

/** Panels with curves over one axis, side by side. */
export function curvesSvg({ title, panels, ...axis }: { title: string; panels: readonly Panel[] } & Axis): string {
  const whole = left + panels.length * width + (panels.length - 1) * gap + right;
  const tall = top + height + bottom;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${whole} ${tall}" width="${whole}" height="${tall}" font-family="system-ui, sans-serif" font-size="12" fill="#333" role="img">`,
    `<title>${escaped(title)}</title>`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...panels.flatMap((panel, at) => drawn(panel, left + at * (width + gap), axis)),
    '</svg>',
    '',
  ].join('\n');
}

function drawn({ title, curves, from, to }: Panel, x0: number, { places, names, axis, marked }: Axis): string[] {
  const known = curves.flatMap(({ values, errors }) => values.map((value, i) => value + (errors?.[i] ?? 0))).filter(Number.isFinite);
  const highest = to ?? 1.05 * Math.max(0, ...known);
  const span = places[places.length - 1] - places[0] || 1;
  const x = (at: number) => round(x0 + 10 + ((width - 20) * (places[at] - places[0])) / span);
  const y = (value: number) => round(top + height * (1 - (value - from) / (highest - from || 1)));
  const lines = [
    `<text x="${x0}" y="20" font-size="15">${title}</text>`,
    ...(marked === undefined ? [] : [`<path d="M${x(marked)} ${top}v${height}" stroke="#bbb" stroke-dasharray="4 3"/>`]),
    `<path d="M${x0} ${top}v${height}h${width}" fill="none" stroke="#333"/>`,
  ];
  for (let tick = 0; tick <= 4; tick++) {
    const value = from + ((highest - from) * tick) / 4;
    lines.push(`<text x="${x0 - 8}" y="${y(value) + 4}" text-anchor="end">${Number(value.toPrecision(2))}</text>`);
  }
  const every = Math.ceil(names.length / 14);
  names.forEach((name, i) => {
    if (i % every !== 0 && i !== marked) return;
    lines.push(
      `<text x="${x(i)}" y="${top + height + 18}" text-anchor="middle"${i === marked ? ' font-weight="700"' : ''}>${escaped(name)}</text>`,
    );
  });
  lines.push(`<text x="${x0 + width / 2}" y="${top + height + 38}" text-anchor="middle">${axis}</text>`);
  let legend = 0;
  for (const { name, colour, values, errors } of curves) {
    const shown = values.map((_, i) => i).filter((i) => Number.isFinite(values[i]));
    const points = shown.map((i) => `${x(i)} ${y(values[i])}`);
    const whiskers = errors ? shown.map((i) => `M${x(i)} ${y(values[i] - errors[i])}V${y(values[i] + errors[i])}`) : [];
    lines.push(
      `<g stroke="${colour}" fill="none"><path d="M${points.join('L')}" stroke-width="2"/>${whiskers.length > 0 ? `<path d="${whiskers.join('')}"/>` : ''}</g>`,
      `<g fill="${colour}">${shown.map((i) => `<circle cx="${x(i)}" cy="${y(values[i])}" r="${i === marked ? 5 : 3}"/>`).join('')}</g>`,
      `<rect x="${x0 + legend}" y="${top - 28}" width="12" height="4" fill="${colour}"/><text x="${x0 + legend + 17}" y="${top - 22}">${name}</text>`,
    );
    legend += 17 + 6.6 * name.length + 18;
  }
  return lines;
}

const round = (value: number) => Math.round(value * 10) / 10;
