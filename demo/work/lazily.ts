/** Functions of a module of the worker that is loaded by the first call of any of them. */
import type { ProxyMarked } from 'comlink';

type Called<F> = F extends (...given: infer Given) => infer Result ? (...given: Given) => Promise<Awaited<Result>> : never;

export function lazily<M extends object, K extends keyof M>(load: () => Promise<M>, names: readonly K[]) {
  const calls = names.map((name) => [
    name,
    async (...given: unknown[]) => ((await load())[name] as (...given: unknown[]) => unknown)(...given),
  ]);
  return Object.fromEntries(calls) as { [N in K]: Called<M[N]> } & ProxyMarked;
}
