export interface Fault {
  kind: string;
  file: string;
  /** A line without its indentation, and what stands there instead. */
  before: string;
  after: string;
  /** Its number among equal lines, from 0. */
  at?: number;
}
export function planted(text: string, fault: Fault): string | undefined;
export function nameOf(fault: Fault): string;
