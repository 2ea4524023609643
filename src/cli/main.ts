/** The command line: `main` parses, runs one command and turns an error into one sentence and an exit status. */
import { Command, CommanderError, Option } from 'commander';
import { nearestOf } from '../data/names.js';
import { CancelledError, InputError, OrthantError } from '../errors.js';
import { addCompletionCommand } from './completion.js';
import { withConfig } from './config.js';
import { addDevicesCommand } from './devices.js';
import { addFitCommand } from './fit.js';
import { addGatherCommand } from './gather.js';
import { type Io, type ProcessIo, printer, processIo } from './io.js';
import { addPredictCommand } from './predict.js';
import { addRankCommand } from './rank.js';
import { version } from './run-fit.js';
import { addSweepCommand } from './sweep.js';
import { addTableTensorCommand } from './table-tensor.js';
import { addTableOneCommand } from './table1.js';
import { addTensorCommand } from './tensor.js';
import { addTopicsCommand } from './topics.js';
import { addTransformCommand } from './transform.js';
import { addTuneCommand } from './tune.js';
import { inFlags } from './wording.js';
import { addWorkCommand } from './worker.js';

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
    io.argv = await withConfig(program, argv);
    await program.parseAsync(io.argv, { from: 'user' });
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
      outputError: (text, write) => write(`orthant: ${usageError(text, program, io.argv)}\n`),
    });
  addTopicsCommand(program, io);
  addFitCommand(program, io);
  addRankCommand(program, io);
  addSweepCommand(program, io);
  addGatherCommand(program, io);
  addWorkCommand(program, io);
  addTensorCommand(program, io);
  addTransformCommand(program, io);
  addPredictCommand(program, io);
  addTableOneCommand(program, io);
  addTableTensorCommand(program, io);
  addDevicesCommand(program, io);
  addTuneCommand(program, io);
  for (const command of program.commands) addCommonOptions(command);
  addCompletionCommand(program, io);
  return program.addHelpText('after', notes).hook('preAction', (_, command) => {
    const { quiet, out } = command.opts();
    if (quiet) for (const stream of [io.stdout, io.stderr]) stream.silence();
    if (out === '-' && !['transform', 'predict'].includes(command.name()))
      throw new InputError(`--out of ${command.name()} is a folder, and standard output (-) is none; name one, or see --json.`);
  });
}

const notes = `
Examples:
  orthant topics sotu --ranks 20,8,3                  topics in the State of the Union addresses
  orthant fit faces.npy --ranks 9,4,2 --out model     factors of a matrix
  orthant rank faces.npy --ranks 2..15                the rank of a matrix, by many fits of each
  orthant sweep faces.npy --ranks 2..15 --out sweep   fits of many ranks and seeds
  orthant transform model new.csv --out -             their coefficients for other samples
  orthant fit --help                                  options and examples of a command

Exit status:
  0    done
  1    failed
  2    bad input: an option, a file or its content
  130  ended by Ctrl-C; what a fit had reached is in --out

Environment:
  ORTHANT_CACHE  the folder of fetched texts and tunings
  ORTHANT_DEBUG  errors say where they come from
  NO_COLOR       nothing to switch off: no colours are used
`;

/** The options that every command takes. */
function addCommonOptions(command: Command): void {
  const group = 'Of every command:';
  command
    .addOption(
      new Option('--config <file>', 'a JSON file whose fields are options, such as { "maxIterations": 50 }; flags win').helpGroup(group),
    )
    .addOption(new Option('--quiet', 'no summary, notes or progress; errors only').helpGroup(group));
}

/** Commander's message as one sentence, with the choice that comes nearest. */
function usageError(text: string, program: Command, [name]: readonly string[]): string {
  const help = program.commands.some((command) => command.name() === name) ? `See orthant ${name} --help.` : 'See orthant --help.';
  const message = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(/(?:argument|value) '(.*)' is invalid.*\. Allowed choices are (.*)\.$/, (words, given: string, choices: string) => {
      const nearest = nearestOf(given, choices.split(', '));
      return nearest === undefined ? words : `${words} (Did you mean ${nearest}?)`;
    });
  return /[.?)]$/.test(message) ? `${message} ${help}` : `${message}. ${help}`;
}

/** One sentence for people, in the words of a command with these options; with `debug` where it comes from. */
export function explain(error: unknown, debug: boolean, options: readonly Option[] = []): string {
  if (!(error instanceof Error)) return String(error);
  if (debug) return error.stack ?? error.message;
  const message = (error instanceof InputError ? inFlags(error, options) : error.message).replaceAll(/\s*\n\s*/g, ' ');
  return error instanceof OrthantError ? message : `${message} (unexpected; set ORTHANT_DEBUG=1 to see where it comes from)`;
}
