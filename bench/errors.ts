/** An error for people, with the exit status of the benchmark: 2 for bad input, 1 for a failure. */
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
