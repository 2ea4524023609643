/** The order of several adapters. Pure: descriptions in, an order out. */

/** The adapter to look for: the best there is, real hardware only, or one that computes on the CPU. */
export type AdapterPreference = 'auto' | 'gpu' | 'software';

/** The provider of the driver: the operating system, or the package `@sparticuz/chromium`. */
export type AdapterSource = 'system' | 'packaged';

export interface Candidate {
  /** Whether it computes on the CPU. */
  software: boolean;
  /** Whether it is one of Mesa's, which LLVM compiles. */
  llvmpipe: boolean;
  source: AdapterSource;
}

/**
 * The wanted adapters, the best first: hardware; Mesa's lavapipe, which is faster than SwiftShader (docs/performance.md); another software
 * adapter of the system; the packaged one.
 */
export function inOrder<T extends Candidate>(candidates: readonly T[], prefer: AdapterPreference): T[] {
  const place = ({ software, llvmpipe, source }: Candidate) => (software ? (source === 'packaged' ? 3 : llvmpipe ? 1 : 2) : 0);
  return candidates
    .filter(({ software }) => prefer === 'auto' || software === (prefer === 'software'))
    .sort((one, other) => place(one) - place(other));
}
