import type { FusedProduct } from '../steps/step.js';

/** What kernels call the ways in which a product is stored. */
export function epilogueOf({
  epilogue,
  ending,
}: Pick<FusedProduct['attributes'], 'epilogue'> & Partial<Pick<FusedProduct['attributes'], 'ending'>>): number {
  return ending === 'update' ? 5 : { none: 0, add: 1, hadamard: 2 }[epilogue];
}
