/** The results as one page that needs nothing else: the measures, plots, and every row. */
import { type CountRow, isSoftwareDevice, type Results, summaries, summaryWords } from '../rows.js';
import { countTables, digits, titleOf } from '../table.js';
import { panelsOf } from './panels.js';
import { drawPanel, escaped } from './svg.js';

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .25rem; }
  .warning { border-left: 6px solid #b00020; background: #fdecee; padding: .75rem 1rem; }
  .caption { color: #444; margin: .25rem 0 .5rem; max-width: 50rem; }
  .legend { margin: .25rem 0; font-size: .875rem; } .legend span { margin-right: 1.25rem; white-space: nowrap; }
  .legend i { display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem; border-radius: 2px; vertical-align: -1px; }
  svg { max-width: 100%; height: auto; }
  table { border-collapse: collapse; font-size: .8125rem; } .rows { overflow-x: auto; }
  th, td { text-align: left; padding: .2rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top; }
  td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
  td.note { min-width: 18rem; }
`;

export function pageText(results: Results): string {
  const { device, commit, date, rows, counts = [] } = results;
  const title = titleOf(results);
  const warning =
    isSoftwareDevice(device) && rows.length > 0
      ? '<p class="warning"><strong>Software adapter.</strong> WebGPU ran on a CPU here. Nothing on this page says how fast anything is on a GPU.</p>'
      : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<p>${escaped(device)}. Commit ${escaped(commit)}, ${escaped(date.slice(0, 16).replace('T', ' '))} UTC.</p>
${warning}
${summaryText(results)}
${panelsOf(rows)
  .map(
    (panel) =>
      `<h2>${escaped(panel.title)}</h2>\n<p class="caption">${escaped(panel.caption)}</p>\n<figure style="margin:0">${drawPanel(panel)}</figure>`,
  )
  .join('\n')}
${waits(results)}
${countsHtml(counts)}
${rows.length > 0 ? everyRow(rows) : ''}
</body>
</html>
`;
}

function everyRow(rows: Results['rows']): string {
  return `<h2>Every row</h2>
<p class="caption">Milliseconds for one unit of the case, as a rule one iteration: median and interquartile range over the repeats. Checked means that this very result agreed with an f64 reference.</p>
<div class="rows">${tableHtml(rows)}</div>`;
}

/** For a stranger: the meaning of the columns, and how far they hold. */
const meanings: Record<string, { title: string; caption: string }> = {
  traffic: {
    title: 'Traffic, counted',
    caption:
      'Counts, not times: they hold for every GPU that gets this plan, whichever adapter ran it. X ÷ its bytes: how many times the bytes of X the invocations of one iteration ask for; by 32, an entry that several of 32 neighbouring invocations load at once counts once. All ÷ least: bytes of all loads and stores over those of X (an iteration) or of each tensor of the operation once. Lines ÷ ideal: how many lines of 128 bytes the loads of 32 neighbours touch, over the fewest that hold as many bytes as their lanes ask for; 1 is best, and below 1 neighbours share. The lines are of a sample of workgroups.',
  },
  compile: {
    title: "The compiler's view",
    caption:
      "Statistics of AMD's Vulkan compiler for every pipeline, without a GPU: no time is among them. Registers: of one invocation. Spilled registers and scratch bytes (of a wave) lie in device memory, which is slow; spilled scalars lie in registers of others; code beyond 32 KiB leaves the instruction cache; both are noted and come first. Waves: how many of them a SIMD can keep, to hide the wait for memory. navi31 is RDNA 3 (RX 7900), gfx1201 RDNA 4, navi21 RDNA 2, vega10 and polaris10 are older.",
  },
};

function countsHtml(counts: readonly CountRow[]): string {
  return countTables(counts)
    .map(({ suite, headings, cells }) => {
      const numeric = (i: number) => !['case', 'subject', 'note'].includes(headings[i]);
      const body = cells.map(
        (line) => `<tr>${line.map((cell, i) => `<td${numeric(i) ? ' class="number"' : ''}>${escaped(cell)}</td>`).join('')}</tr>`,
      );
      const head = headings.map((heading) => `<th>${escaped(heading)}</th>`).join('');
      const { title, caption } = meanings[suite] ?? { title: suite, caption: '' };
      return `<h2>${escaped(title)}</h2>
<p class="caption">${escaped(caption)}</p>
<div class="rows"><table><thead><tr>${head}</tr></thead><tbody>
${body.join('\n')}
</tbody></table></div>`;
    })
    .join('\n');
}

function summaryText({ rows }: Results): string {
  const lines = summaries(rows).map((summary) => {
    return `<li>${escaped(summary.what)}: <strong>${escaped(summary.subject)}</strong> ${escaped(summaryWords(summary))}.</li>`;
  });
  return lines.length > 0 ? `<ul>\n${lines.join('\n')}\n</ul>` : '';
}

/** The times that a user waits, which compare with nobody and lie on no axis. */
function waits({ rows }: Results): string {
  const own = rows.filter(
    ({ suite, case: name }) => (suite === 'end' || suite === 'neural' || suite === 'sparse') && !name.includes('first run'),
  );
  if (own.length === 0) return '';
  return `<h2>First iterations, whole fits, Neural NMF</h2>
<p class="caption">Milliseconds a unit of the case: a first iteration, a fit from the data to the factors, or one iteration of Neural NMF.</p>
<div class="rows">${tableHtml(own)}</div>`;
}

function tableHtml(rows: Results['rows']): string {
  const body = rows.map(({ suite, case: name, subject, medianMs, iqrMs, repeats, checked, note }) => {
    const words = [suite, name, subject].map((cell) => `<td>${escaped(cell)}</td>`);
    const numbers = [digits(medianMs), repeats > 1 ? digits(iqrMs) : '', String(repeats)].map((cell) => `<td class="number">${cell}</td>`);
    return `<tr>${words.join('')}${numbers.join('')}<td>${checked ? 'yes' : '–'}</td><td class="note">${escaped(note)}</td></tr>`;
  });
  const headings = ['suite', 'case', 'subject', 'median ms', 'IQR ms', 'repeats', 'checked', 'note'];
  return `<table><thead><tr>${headings.map((heading) => `<th>${heading}</th>`).join('')}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table>`;
}
