export function withLoader<T>(
  use: (load: (module: string) => Promise<unknown>) => Promise<T>,
  instead?: ReadonlyMap<string, string>,
): Promise<T>;
