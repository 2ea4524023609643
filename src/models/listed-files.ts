/** What the files of all models have in common: factors.safetensors, and a model.json that lists the others with their SHA-256 and has an id. */
import type { Matrix } from '../data/matrix.js';
import { messageOf } from '../data/realm.js';
import { sha256 } from '../data/sha256.js';
import { InputError } from '../errors.js';
import { encodeSafetensors } from '../formats/safetensors.js';

/** Number of the format of model.json. A format that this version cannot read has another number. */
export const format = 3;

/** The file with all matrices. */
export const factorsFile = 'factors.safetensors';

/** The files of a model with these fields and matrices. */
export function filesOf(
  fields: Record<string, unknown>,
  factors: Readonly<Record<string, Matrix>>,
  {
    extra,
    copies,
    elapsedMs,
    idOf,
  }: {
    extra: Record<string, unknown>;
    copies: Record<string, Uint8Array | string>;
    elapsedMs: number;
    idOf: (written: object) => string;
  },
): Record<string, Uint8Array | string> & { 'model.json': string } {
  const matrices = { ...copies, [factorsFile]: encodeSafetensors(factors, { format: 'orthant 3' }) };
  const hashOf = (content: Uint8Array | string) => sha256(typeof content === 'string' ? new TextEncoder().encode(content) : content);
  const own = {
    format,
    ...fields,
    files: Object.fromEntries(Object.entries(matrices).map(([name, content]) => [name, hashOf(content)])),
  };
  // As it will stand there: JSON knows neither infinities nor fields without a value.
  const written = JSON.parse(JSON.stringify(own)) as Record<string, unknown>;
  const { format: number, ...rest } = written;
  const content = { ...extra, format: number, id: idOf(written), ...rest, times: { elapsedMs: Math.round(elapsedMs) } };
  return { ...matrices, 'model.json': `${JSON.stringify(content, null, 2)}\n` };
}

/**
 * Gives the bytes of a file of a model by its name. `listed` tells whether bytes are those that model.json lists, for a reader that knows
 * of more places than one.
 */
export type ModelReader = (name: string, listed: (bytes: Uint8Array) => boolean) => Promise<Uint8Array>;

export async function readFile(read: ModelReader, name: string, listed = (_: Uint8Array) => true): Promise<Uint8Array> {
  try {
    return await read(name, listed);
  } catch (error) {
    throw new InputError(`The model's file ${name} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Reads the files of a model. `check` throws InputError if one was not the file that model.json lists; `all` says that it must list each. */
export function listedFiles(read: ModelReader, files: Record<string, string> | undefined, { all = false } = {}) {
  const differ: string[] = [];
  return {
    async read(name: string): Promise<Uint8Array> {
      const hash = files && Object.hasOwn(files, name) ? files[name] : undefined;
      if (hash === undefined && !all) return readFile(read, name);
      const known = new WeakSet<Uint8Array>(); // so that bytes which `read` has asked about are hashed once
      const listed = (bytes: Uint8Array) => {
        const same = known.has(bytes) || sha256(bytes) === hash;
        if (same) known.add(bytes);
        return same;
      };
      const bytes = await readFile(read, name, listed);
      if (!listed(bytes)) differ.push(name);
      return bytes;
    },
    check(): void {
      if (differ.length > 0) throw mixed(`${differ[0]} is not the file that model.json lists`);
    },
  };
}

/** Throws InputError for a model.json of a format that is not among these. */
export function checkFormat(json: Record<string, unknown>, known: readonly number[]): void {
  if (known.includes(json.format as number)) return;
  const what = json.format === undefined ? 'has no format number' : `has format ${JSON.stringify(json.format)?.slice(0, 80)}`;
  const newer = typeof json.format === 'number' && json.format > format ? 'take a newer version' : 'fit the model again with this version';
  const formats = known.length === 1 ? `format ${known[0]}` : `formats ${known.join(' and ')}`;
  throw new InputError(`model.json ${what}, but this version of orthant reads ${formats}; ${newer}.`);
}

/** Throws InputError for an id that was given and is not that of the fields. */
export function checkId(id: string | undefined, idOfFields: () => string): void {
  if (id !== undefined && id !== idOfFields()) throw mixed('its id does not fit the rest of model.json');
}

function mixed(what: string): InputError {
  return new InputError(`The files are not of one whole model: ${what}. Copy all files of the model again, or fit it again.`);
}
