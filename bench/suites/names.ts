/** `end` comes first, since the first run is cold only once. Every suite but `profile`, which compares with nobody and runs only when it is asked for. */
export const usualSuites = ['end', 'roofline', 'kernels', 'mu', 'nnls', 'neural', 'sparse', 'checkpoints', 'scaling'] as const;
/** Suites that count and do not time. They run when they are asked for, and their results are files of their own. */
export const countingSuites = ['traffic', 'compile'] as const;
export type SuiteName = (typeof usualSuites)[number] | (typeof countingSuites)[number] | 'profile';
/** `compile` asks a driver without an adapter, in processes of its own: bench/compile. */
export type AdapterSuite = Exclude<SuiteName, 'compile'>;
export const suiteNames: readonly SuiteName[] = [...usualSuites, ...countingSuites, 'profile'];
