export function checkPortable(code: string): void;
