/** A fit as one HTML page, in a browser or in Node: its JSON, its parts and the page itself. Nothing here needs Node. */

export * from './errors.js';
export { reportData } from './report/data.js';
export { type PageParts, reportPage } from './report/page.js';
export { reportParts } from './report/parts.js';
export type { GivenTopic, Nouns, ReportData, ReportDocument, ReportSource, ReportTable, ReportTopic } from './report/types.js';
