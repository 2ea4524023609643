/** Files that the person saves. */
import { el } from './dom.js';

export type Content = string | Uint8Array | Blob;

/** Saves one file. */
export function save(name: string, content: Content): void {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content as BlobPart]));
  el('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser reads it after the click
}

/** Saves several files as one archive. */
export async function saveZip(name: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  const { strToU8, zipSync } = await import('fflate');
  const bytes = Object.entries(files).map(([path, content]) => [path, typeof content === 'string' ? strToU8(content) : content] as const);
  save(name, zipSync(Object.fromEntries(bytes)));
}
