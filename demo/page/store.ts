/** Data that the browser keeps, only where the person asks for it: IndexedDB of this page alone. */
import { del, get, set } from 'idb-keyval';

/** Files of a room, as they were dropped. */
export interface Kept {
  /** When they were kept. */
  date: string;
  files: { path: string; file: File }[];
}

export const keep = (room: string, files: Kept['files']): Promise<void> =>
  set(room, { date: new Date().toISOString(), files } satisfies Kept);

export const kept = (room: string): Promise<Kept | undefined> => get<Kept>(room);

export const forget = (room: string): Promise<void> => del(room);
