/** The script of the page of a report: draws what the JSON in it says. */

import { downloadsOf } from '../tables.js';
import type { ReportData } from '../types.js';
import { drawCharts } from './charts.js';
import { byId, element } from './dom.js';
import { drawMaps } from './maps.js';
import { drawTree } from './tree.js';
import { wordsPanel } from './words.js';

const data = JSON.parse(byId('data')!.textContent!) as ReportData;
if (data.topics.length > 0) drawTree(data, wordsPanel(data));
drawCharts(data);
drawMaps(data.heatMaps);
offerDownloads();
openForPrint();

function offerDownloads(): void {
  const buttons = downloadsOf(data).map(({ file, title, csv }) => {
    const button = element('button', '', title);
    button.type = 'button';
    button.dataset.file = file;
    button.addEventListener('click', () => {
      const link = element('a');
      link.href = URL.createObjectURL(new Blob([csv], { type: 'text/csv;charset=utf-8' }));
      link.download = file;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    });
    return button;
  });
  byId('downloads')?.replaceChildren(...buttons);
}

/** On paper nothing can be opened. */
function openForPrint(): void {
  const outline = byId<HTMLDetailsElement>('outline');
  if (!outline) return;
  let before = outline.open;
  addEventListener('beforeprint', () => {
    before = outline.open;
    outline.open = true;
  });
  addEventListener('afterprint', () => {
    outline.open = before;
  });
}
