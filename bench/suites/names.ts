/** Every suite but `profile`, which compares with nobody and runs only when it is asked for. */
export const usualSuites = ['roofline', 'kernels', 'mu', 'nnls', 'neural', 'end', 'scaling'] as const;
export type SuiteName = (typeof usualSuites)[number] | 'profile';
export const suiteNames: readonly SuiteName[] = [...usualSuites, 'profile'];
