/** The command line: `main` parses, runs one command and turns an error into one sentence and an exit status. */
import { Command, CommanderError, type Option } from 'commander';
import { CancelledError, InputError, OrthantError } from '../errors.js';
import { addDevicesCommand } from './devices.js';
import { addFitCommand } from './fit.js';
import { type Io, type ProcessIo, printer, processIo } from './io.js';
import { addPredictCommand } from './predict.js';
import { version } from './run-fit.js';
import { addTableOneCommand } from './table1.js';
import { addTopicsCommand } from './topics.js';
import { addTransformCommand } from './transform.js';
import { addTuneCommand } from './tune.js';
import { inFlags } from './wording.js';

/** Exit statuses: 0, 1 for a failure, 2 for bad input, 130 for Ctrl-C. */
export async function main(argv: readonly string[], given: ProcessIo = processIo()): Promise<number> {
  const io: Io = { ...given, argv, stdout: printer(given.stdout), stderr: printer(given.stderr) };
  const status = await run(argv, io);
  if (status === 130) return status; // whoever pressed Ctrl-C waits for nothing
  const unwritten = await io.stdout.end();
  // A reader that leaves early (`orthant … | head -1`) is no failure of ours.
  if (unwritten && unwritten.code !== 'EPIPE') {
    const why = unwritten.code === 'ENOSPC' ? 'the disk is full; free some space there' : unwritten.message;
    io.stderr.write(`orthant: Standard output cannot be written: ${why}.\n`);
  }
  await io.stderr.end();
  return unwritten && unwritten.code !== 'EPIPE' ? status || 1 : status;
}

async function run(argv: readonly string[], io: Io): Promise<number> {
  const program = commandLine(io);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // commander has printed it
    if (error instanceof CancelledError) return 130;
    const command = program.commands.find((one) => one.name() === argv[0]);
    io.stderr.write(`orthant: ${explain(error, Boolean(io.env.ORTHANT_DEBUG), command?.options)}\n`);
    return error instanceof InputError ? 2 : 1;
  }
}

function commandLine(io: Io): Command {
  const program = new Command('orthant')
    .description('Nonnegative matrix factorization, flat and multilayer, on WebGPU.')
    .version(version)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      outputError: (text, write) => write(`orthant: ${usageError(text)}\n`),
    });
  addTopicsCommand(program, io);
  addFitCommand(program, io);
  addTransformCommand(program, io);
  addPredictCommand(program, io);
  addTableOneCommand(program, io);
  addDevicesCommand(program, io);
  addTuneCommand(program, io);
  return program;
}

/** Commander's message as one sentence. */
function usageError(text: string): string {
  const message = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ');
  return /[.?)]$/.test(message) ? `${message} See orthant --help.` : `${message}. See orthant --help.`;
}

/** One sentence for people, in the words of a command with these options; with `debug` where it comes from. */
export function explain(error: unknown, debug: boolean, options: readonly Option[] = []): string {
  if (!(error instanceof Error)) return String(error);
  if (debug) return error.stack ?? error.message;
  const message = (error instanceof InputError ? inFlags(error, options) : error.message).replaceAll(/\s*\n\s*/g, ' ');
  return error instanceof OrthantError ? message : `${message} (unexpected; set ORTHANT_DEBUG=1 to see where it comes from)`;
}
