/**
 * The text of bytes in the encoding of a decoder, the same as decoder.decode(bytes). Node 20 takes windows-1252 for ISO 8859-1 where it
 * decodes all bytes in one call, so that € becomes a control character; in a stream it does not.
 */
export function decodeWhole(decoder: TextDecoder, bytes: Uint8Array): string {
  return decoder.decode(bytes, { stream: true }) + decoder.decode();
}
