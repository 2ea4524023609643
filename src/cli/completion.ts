/** `orthant completion`: a script for a shell, made from the commands and options that the command line has. */
import { Argument, type Command, type Option } from 'commander';
import type { Io } from './io.js';

const shells = { bash: bashScript, zsh: zshScript, fish: fishScript };

const notes = `
Examples:
  mkdir -p ~/.local/share/bash-completion/completions
  orthant completion bash > ~/.local/share/bash-completion/completions/orthant
  orthant completion zsh > "\${fpath[1]}/_orthant"
  mkdir -p ~/.config/fish/completions
  orthant completion fish > ~/.config/fish/completions/orthant.fish
  source <(orthant completion bash)         for this shell alone
`;

export function addCompletionCommand(program: Command, io: Io): void {
  program
    .command('completion')
    .summary('a script that completes commands and options in a shell')
    .description('Prints a script by which a shell completes commands, options, their values and files.')
    .addArgument(new Argument('<shell>', 'for which shell').choices(Object.keys(shells)))
    .addHelpText('after', notes)
    .action((shell: keyof typeof shells) => io.stdout.write(shells[shell](commandsOf(program))));
}

/** What a value can be: one of these words, a file, a folder, or nothing that a shell knows. */
type Value = readonly string[] | 'file' | 'folder' | 'text';

interface CompletedOption {
  flag: string;
  help: string;
  /** Of an option that takes one. */
  value?: Value;
}

interface CompletedCommand {
  name: string;
  help: string;
  options: CompletedOption[];
  /** Of its arguments. */
  value: Value;
}

function commandsOf(program: Command): CompletedCommand[] {
  return program.commands.map((command) => {
    const [first] = command.registeredArguments;
    return {
      name: command.name(),
      help: command.summary(),
      options: [
        ...command.options.flatMap((option) => (option.hidden || !option.long ? [] : [completedOption(option, option.long)])),
        { flag: '--help', help: 'display help for command' },
      ],
      value: first?.argChoices ?? (first ? 'file' : 'text'),
    };
  });
}

function completedOption(option: Option, flag: string): CompletedOption {
  const help = option.description;
  if (!option.required) return { flag, help };
  const [, placeholder] = /<(.*)>/.exec(option.flags) ?? [];
  const place = placeholder === 'file' ? 'file' : placeholder === 'dir' ? 'folder' : 'text';
  return { flag, help, value: option.argChoices ?? place };
}

/** A word as the three shells read it back. */
function quotedWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A help text as one short line without what shells take for syntax. */
function shortHelp(help: string): string {
  const line = help
    .replaceAll(/['"`\\$[\]:]/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return line.length > 70 ? `${line.slice(0, 69).trimEnd()}…` : line;
}

function bashScript(commands: readonly CompletedCommand[]): string {
  const words = (list: readonly string[]) => `COMPREPLY=($(compgen -W ${quotedWord(list.join(' '))} -- "$cur"))`;
  const reply = (value: Value) =>
    typeof value !== 'string' ? words(value) : { file: '_orthant_files -f', folder: '_orthant_files -d', text: 'COMPREPLY=()' }[value];
  const cases = commands.map(({ name, options, value }) => {
    const valued = options.filter((option) => option.value !== undefined);
    const ofOptions = valued.map((option) => `        ${option.flag}) ${reply(option.value!)}; return ;;`);
    return [
      `    ${name})`,
      '      case "$prev" in',
      ...ofOptions,
      '      esac',
      `      if [[ $cur == -* ]]; then ${words(options.map(({ flag }) => flag))}; return; fi`,
      `      ${reply(value)} ;;`,
    ].join('\n');
  });
  return `# Completion of orthant for bash: source this file.
_orthant_files() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen "$1" -- "$cur"))
}
_orthant() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    ${words([...commands.map(({ name }) => name), '--help', '--version'])}
    return
  fi
  # bash parts --option=value at the sign.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = && $COMP_CWORD -ge 3 ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
}
complete -F _orthant orthant
`;
}

function zshScript(commands: readonly CompletedCommand[]): string {
  const action = (value: Value) =>
    typeof value !== 'string' ? `(${value.join(' ')})` : { file: '_files', folder: '_files -/', text: ' ' }[value];
  const cases = commands.map(({ name, options, value }) => {
    const specs = options.map((option) => {
      const of = option.value === undefined ? '' : `:value:${action(option.value)}`;
      return `        ${quotedWord(`*${option.flag}${option.value === undefined ? '' : '='}[${shortHelp(option.help)}]${of}`)}`;
    });
    return [
      `    ${name})`,
      '      _arguments \\',
      ...specs.map((spec) => `${spec} \\`),
      `        ${quotedWord(`*:argument:${action(value)}`)} ;;`,
    ].join('\n');
  });
  return `#compdef orthant
# Completion of orthant for zsh: as _orthant in a folder of $fpath, or sourced after compinit.
_orthant() {
  if (( CURRENT == 2 )); then
    local -a commands=(
${commands.map(({ name, help }) => `      ${quotedWord(`${name}:${shortHelp(help)}`)}`).join('\n')}
    )
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _orthant "$@"; else compdef _orthant orthant; fi
`;
}

function fishScript(commands: readonly CompletedCommand[]): string {
  const values = (value: Value) =>
    typeof value !== 'string'
      ? ` -x -a ${quotedWord(value.join(' '))}`
      : { file: ' -r -F', folder: " -x -a '(__fish_complete_directories)'", text: ' -x' }[value];
  const lines = commands.flatMap(({ name, help, options, value }) => {
    const seen = `-n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c orthant -n __fish_use_subcommand -a ${name} -d ${quotedWord(shortHelp(help))}`,
      value === 'file' ? `complete -c orthant ${seen} -F` : '',
      typeof value === 'string' ? '' : `complete -c orthant ${seen} -a ${quotedWord(value.join(' '))}`,
      ...options.map(
        (option) =>
          `complete -c orthant ${seen} -l ${option.flag.slice(2)} -d ${quotedWord(shortHelp(option.help))}${option.value === undefined ? '' : values(option.value)}`,
      ),
    ].filter(Boolean);
  });
  return `# Completion of orthant for fish: as orthant.fish in ~/.config/fish/completions.
complete -c orthant -f
complete -c orthant -n __fish_use_subcommand -l version -s V -d 'output the version number'
${lines.join('\n')}
`;
}
