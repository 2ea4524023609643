/** The script and the style of a report's page. They are a large text, so they are loaded when a page is made. */
import type { PageParts } from './page.js';

export async function reportParts(): Promise<PageParts> {
  const { packedScript, style, plotStyle } = await import('./client.generated.js');
  const packed = Uint8Array.from(atob(packedScript), (one) => one.charCodeAt(0));
  const script = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
  return { script, style, plotStyle };
}
