/** A study as a command. Returns the exit status: 0, 1 for a failure, 2 for a wrong option. */
export async function studyCommand<Options extends { help: boolean }>(
  argv: string[],
  { usage, parse, run }: { usage: string; parse: (argv: string[]) => Options; run: (options: Options) => Promise<void> },
): Promise<number> {
  let options: Options;
  try {
    options = parse(argv);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  try {
    await run(options);
    return 0;
  } catch (error) {
    process.stderr.write(`\nThe study failed: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}
