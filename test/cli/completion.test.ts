/** `orthant completion`: what shells that read its scripts offer. zsh and fish are asked where they are. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { runCli, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
put('m.csv', '1,2\n');
put('words.txt', 'sea\n');
mkdirSync(at('folder of files'));
put('folder of files/m.csv', '1,2\n');

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];
const scripts = {} as Record<Shell, string>;

beforeAll(async () => {
  for (const shell of shells) {
    const { status, stdout, stderr } = await runCli(['completion', shell]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    put(`orthant.${shell}`, stdout);
    scripts[shell] = stdout;
  }
});

/** bash is everywhere. The others are asked where they are installed; the texts of all scripts are compared with the help below. */
const isHere = (shell: Shell) => shell === 'bash' || !spawnSync(shell, ['--version']).error;

/** What a shell prints that offers what can stand at the end of a line. */
function offer(shell: Shell, line: string): string[] {
  // bash parts words at blanks and at =, and gives the last part as $2.
  const parts = line.split(/ +|(=)/).filter((part) => part !== undefined && part !== '');
  const last = /[ =]$/.test(line) ? '' : parts[parts.length - 1];
  const words = line.endsWith(' ') ? [...parts, ''] : parts;
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const argv = {
    bash: [
      ...['--norc', '-c'],
      `source orthant.bash; COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}
      _orthant orthant '${last}' ''; for one in "\${COMPREPLY[@]}"; do echo "$one"; done`,
    ],
    zsh: [fileURLToPath(new URL('../support/complete.zsh', import.meta.url)), 'orthant.zsh', line],
    fish: ['--no-config', '-c', `source orthant.fish; complete -C '${line}'`],
  }[shell];
  const { stdout, stderr } = spawnSync(shell, argv, { encoding: 'utf8', cwd: at('.'), timeout: 60_000 });
  expect(stderr).toBe('');
  return stdout.split(/\r?\n/).filter((text) => text.trim() !== '');
}

/** Without descriptions, the slash behind a folder and the option before a value. */
function candidates(shell: Shell, line: string): string[] {
  const bare = (text: string) => text.split('\t')[0].replace(/^--[^=]*=|\/$/g, '');
  return [...new Set(offer(shell, line).map(bare))].sort(); // zsh has several tries at folders
}

const cases: [line: string, offered: string[]][] = [
  ['orthant f', ['fit']],
  ['orthant --', ['--help', '--version']],
  ['orthant fit --me', ['--method']],
  ['orthant fit --he', ['--header', '--help']],
  ['orthant fit --method n', ['neural', 'nmf']],
  ['orthant fit --method=n', ['neural', 'nmf']],
  ['orthant fit m.csv --device=', ['auto', 'cpu', 'gpu', 'software']],
  ['orthant completion ', ['bash', 'fish', 'zsh']],
  ['orthant predict m.', ['m.csv']],
  ['orthant fit --report m', ['m.csv']],
  ['orthant fit --report=m', ['m.csv']],
  ['orthant fit --out ', ['folder of files']],
  ['orthant fit --out=', ['folder of files']],
  ['orthant fit --start f', ['folder of files']],
  ['orthant fit --start=nndsvda', ['nndsvda', 'nndsvdar']],
  ['orthant gather ', ['folder of files']],
  ['orthant topics --seed ', []], // a number
  ['orthant transform --with-names', []],
  ['orthant topics --stop-words @w', ['@words.txt']],
  ['orthant topics --keep-words=sea,@w', ['sea,@words.txt']],
  ['orthant topics --stop-words w', []],
  ['orthant topics so', ['sotu']],
  ['orthant transform model ma', ['mail']],
  ['orthant fit so', []],
  // The command is the first word; another is a file that is called as one.
  ['orthant topics fit --met', []],
  ['orthant topics fit --stop', ['--stop-words']],
];

describe.each(shells.filter(isHere))('%s offers what is possible', (shell) => {
  test.each(cases)('%s', (line, offered) => {
    expect(candidates(shell, line)).toEqual(offered);
  });

  if (shell !== 'bash')
    test('descriptions are those of the help, apostrophes, colons, brackets and all', () => {
      expect(offer(shell, 'orthant topics --seed-top').join()).toContain("one such line, 'economy: tax, budget'; may be repeated");
      expect(offer(shell, 'orthant work --queue').join()).toContain('redis://[user:password@]host[:port]');
    });
});

test('every command and option that the help has is in every script', async () => {
  const { stdout: topHelp } = await runCli(['--help']);
  const commands = [...topHelp.matchAll(/^ {2}([a-z0-9-]+) .*$/gm)].map(([, name]) => name).filter((name) => name !== 'orthant');
  expect(commands).toEqual(expect.arrayContaining(['topics', 'tensor', 'completion']));
  for (const name of commands.slice(0, commands.indexOf('completion') + 1)) {
    const { stdout: help } = await runCli([name, '--help'], { columns: 200 });
    const flags = [...help.matchAll(/^ {2}(?:-\w, )?--([a-z0-9-]+)/gm)].map(([, flag]) => flag);
    expect(flags).toContain('help');
    const part = (text: string) => text.slice(text.indexOf(`    ${name})\n`)).split(/\n {4}(?=[a-z])/)[0];
    for (const flag of flags) {
      expect(part(scripts.bash)).toMatch(new RegExp(`--${flag}['\\s)]`));
      expect(part(scripts.zsh)).toMatch(new RegExp(`'\\*--${flag}[=[]`));
      expect(scripts.fish).toContain(`'__orthant_command ${name}' -l ${flag} `);
    }
  }
});

test('texts of the help are quoted as the shells read them back', () => {
  expect(scripts.zsh).toContain("'*--seed-topic=[one such line, '\\''economy: tax, budget'\\''; may be repeated]:value: '");
  expect(scripts.zsh).toContain('redis://\\[user:password@\\]host\\[:port\\]');
  expect(scripts.fish).toContain("-l seed-topic -d 'one such line, \\'economy: tax, budget\\'; may be repeated'");
});
