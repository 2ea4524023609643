export function coversOf(file: string): { cases?: string; tests: string[] } | undefined;
