/** The state of the page in its address: `#/paper?seed=3&ranks=9,4,2`. Data are never in it. */

export interface Place {
  room: string;
  options: URLSearchParams;
}

export function place(): Place {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  return { room: path, options: new URLSearchParams(query) };
}

/** Puts the options of a room into the address, without a new entry of the history. Options with their default are left out by the caller. */
export function keepOptions(room: string, options: Readonly<Record<string, string | undefined>>): void {
  const kept = Object.entries(options).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const query = new URLSearchParams(kept).toString().replaceAll('%2C', ',');
  history.replaceState(null, '', `#/${room}${query && `?${query}`}`);
}
