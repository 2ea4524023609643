/** The memory that typed arrays take which are made by `work`, in bytes, whether they live on or not. */
export function bytesAllocated(work: () => void): number {
  let bytes = 0;
  const names = ['Float32Array', 'Float64Array', 'Uint32Array', 'Int32Array', 'Uint8Array'] as const;
  const originals = names.map((name) => [name, globalThis[name]] as const);
  const scope = globalThis as Record<string, unknown>;
  for (const [name, original] of originals) {
    scope[name] = new Proxy(original, {
      construct(target, args, made) {
        const [given] = args;
        // Views of a buffer that is there take no memory.
        const length = typeof given === 'number' ? given : given instanceof ArrayBuffer ? 0 : Number(given?.length ?? 0);
        bytes += length * target.BYTES_PER_ELEMENT;
        // What would not end is ended here.
        if (bytes > 2 ** 32) throw new Error(`${bytes} bytes were asked for`);
        return Reflect.construct(target, args, made === scope[name] ? target : made) as object;
      },
    });
  }
  try {
    work();
  } finally {
    for (const [name, original] of originals) scope[name] = original;
  }
  return bytes;
}
