/** An error for people, with the exit status that it ends the benchmark with: 2 for what was asked wrongly, 1 for what went wrong. */
export class BenchError extends Error {
  constructor(
    message: string,
    readonly status: 1 | 2,
  ) {
    super(message);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
