/** A share for people. */
export function percent(share: number): string {
  const value = 100 * share;
  if (value === 0) return '0 %';
  return value < 0.01 ? '< 0.01 %' : `${value.toFixed(value < 1 ? 2 : value < 9.95 ? 1 : 0)} %`;
}
