/**
 * Starts a command. Vulkan drivers and Dawn write lines of their own to file descriptor 2, past Node, and no process of Node can turn
 * its own descriptor elsewhere. So on Linux, where they do, a second process does the work (work.ts): its descriptor 2 is a pipe, and
 * its standard error is the descriptor 3 that it is handed. `ORTHANT_DEBUG` leaves everything in one process, where every line shows.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { visible } from './io.js';

/** Runs one command and ends the process as that command ended. */
export async function launch(argv: readonly string[]): Promise<void> {
  if (hearsNativeCode(argv)) return inSecondProcess(argv);
  const { main } = await import('./main.js');
  endWith(await main(argv));
}

/** Sets the exit status. After Ctrl-C the device may still be busy, and nobody waits for it. */
export function endWith(status: number): void {
  process.exitCode = status;
  if (status === 130) process.exit();
}

/** Whether native code may speak up: not where help is printed, the reference computes or a process of its own does. When in doubt it may. */
function hearsNativeCode(argv: readonly string[]): boolean {
  const { bun, deno } = process.versions;
  if (
    process.platform !== 'linux' ||
    bun ||
    deno ||
    process.env.ORTHANT_DEBUG ||
    argv.length === 0 ||
    ['completion', 'work'].includes(argv[0])
  )
    return false;
  const silent = ['-h', '--help', '-V', '--version', '--device=cpu'];
  return !argv.some((word, i) => silent.includes(word) || (word === 'cpu' && argv[i - 1] === '--device'));
}

function inSecondProcess(argv: readonly string[]): void {
  const work = fileURLToPath(new URL('./work.js', import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, work, ...argv], { stdio: ['inherit', 'inherit', 'pipe', 2, 'ipc'] });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  process.stderr.on('error', () => {}); // nobody is left to be told

  // A terminal sends its signals to both processes, others send them to this one only: work.ts takes an interrupt that comes twice as one.
  let passed: NodeJS.Signals | undefined;
  const pass = (signal: NodeJS.Signals) => {
    const again = signal === 'SIGINT' && passed === signal;
    passed = signal;
    child.kill(again ? 'SIGKILL' : signal);
    if (again) dieOf(signal);
  };
  const dieOf = (signal: NodeJS.Signals) => {
    process.off(signal, pass);
    process.kill(process.pid, signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, pass);

  child.on('error', ({ message }) => {
    process.stderr.write(`orthant: A second process could not be started (${message}); set ORTHANT_DEBUG=1 to do without it.\n`);
  });
  child.on('close', (status, signal) => {
    if (signal && passed === 'SIGINT') return endWith(130); // torn from its work, native code may break down
    if (signal && passed) return dieOf(passed);
    if (signal) process.stderr.write(`orthant: The process was ended by ${signal}${said ? '. Native code said last:' : '.'}\n`);
    // A status that `main` does not have is Node's own, which has said why at the same place.
    const ours = status !== null && [0, 1, 2, 130].includes(status);
    if (!ours) process.stderr.write(visible(said));
    process.exitCode = status !== null && status >= 0 ? status : 1;
  });
}
