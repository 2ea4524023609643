/**
 * Values of another realm (a frame, a vm context, jest): their classes are not those of this one, so `instanceof` does not know them.
 * What they are made of is the same, and everything here works with them.
 */
interface TypedArrays {
  Float32Array: Float32Array;
  Uint32Array: Uint32Array;
}

export function isTyped<Kind extends keyof TypedArrays>(value: unknown, kind: Kind): value is TypedArrays[Kind] {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === `[object ${kind}]`;
}

/** The message of an error, of whatever realm, or a thrown value as text. */
export function messageOf(cause: unknown): string {
  const message = typeof cause === 'object' && cause !== null && 'message' in cause ? cause.message : undefined;
  return typeof message === 'string' ? message : String(cause);
}
