export function stopWordsModule(): string;
