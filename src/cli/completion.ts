/** `orthant completion`: a script for a shell, made from the commands and options that the command line has. */
import { Argument, type Command, type Option } from 'commander';
import { exampleNames } from '../node/corpus.js';
import type { Io } from './io.js';
import { startHelp } from './start.js';

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
    .action((shell: keyof typeof shells) =>
      io.stdout.write(shells[shell]({ options: optionsOf(program), commands: program.commands.map(completedCommand) })),
    );
}

/** What a value can be: one of these words, or a path. `listed`: words with commas, of which @FILE is a file of words. Else nothing that a shell knows. */
interface Value {
  words: readonly string[];
  paths?: 'files' | 'folders' | 'listed';
}

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

interface Completed {
  /** Of orthant without a command. */
  options: CompletedOption[];
  commands: CompletedCommand[];
}

function completedCommand(command: Command): CompletedCommand {
  return { name: command.name(), help: command.summary(), options: optionsOf(command), value: argumentOf(command) };
}

/** Those that the help shows, --help among them. */
function optionsOf(command: Command): CompletedOption[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap((option) => (option.long ? [{ flag: option.long, help: option.description, value: valueTaken(option) }] : []));
}

function valueTaken({ required, flags, argChoices: words = [], description }: Option): Value | undefined {
  if (!required) return undefined;
  if (flags.endsWith('<file>')) return { words, paths: 'files' };
  if (flags.endsWith('<dir>') || description.includes(startHelp)) return { words, paths: 'folders' };
  return { words, paths: description.includes('@FILE') ? 'listed' : undefined };
}

function argumentOf({ registeredArguments: all }: Command): Value {
  const [first] = all;
  if (first === undefined || first.argChoices) return { words: first?.argChoices ?? [] };
  const takesCorpus = all.some((one) => /\bcorpus\b/.test(`${one.name()} ${one.description}`));
  return { words: takesCorpus ? exampleNames : [], paths: first.name() === 'dirs' ? 'folders' : 'files' };
}

/** A text as bash and zsh read it back. */
function quotedWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A help text as one short line. */
function shortHelp(help: string): string {
  const line = help.replaceAll(/\s+/g, ' ').trim();
  return line.length > 70 ? `${line.slice(0, 69).trimEnd()}…` : line;
}

function bashScript({ options: own, commands }: Completed): string {
  const wordsOf = (words: readonly string[]) => (words.length > 0 ? [`_orthant_words ${quotedWord(words.join(' '))}`] : []);
  const paths = { files: '_orthant_paths -f', folders: '_orthant_paths -d', listed: '_orthant_listed' };
  const reply = (value: Value) => [...wordsOf(value.words), ...(value.paths ? [paths[value.paths]] : [])].join('; ') || ':';
  const flagsOf = (options: readonly CompletedOption[]) => options.map(({ flag }) => flag);
  const cases = commands.map(({ name, options, value }) =>
    [
      `    ${name})`,
      '      case $option in',
      ...options.flatMap((option) => (option.value ? [`        ${option.flag}) ${reply(option.value)} ;;`] : [])),
      `        *) if [[ $word == -* ]]; then ${wordsOf(flagsOf(options))}; else ${reply(value)}; fi ;;`,
      '      esac ;;',
    ].join('\n'),
  );
  return `# Completion of orthant for bash: source this file.
_orthant_reply() {
  local one
  while IFS= read -r one; do
    one=$head$one
    COMPREPLY+=("\${one:skip}")
  done
}
_orthant_words() {
  _orthant_reply < <(compgen -W "$1" -- "$word")
}
_orthant_paths() {
  compopt -o filenames 2>/dev/null
  _orthant_reply < <(compgen "$1" -- "$word")
}
_orthant_listed() {
  local last=\${word##*,}
  [[ $last == @* ]] || return
  head+=\${word%"\${last#@}"} word=\${last#@}
  # Without -o filenames, which quotes @, too.
  _orthant_reply < <(compgen -f -- "$word" | while IFS= read -r one; do printf '%q\\n' "$one"; done)
}
_orthant() {
  # The word as it was typed, and the one before: bash parts words at =, and replaces the last part, which is $2.
  local line=\${COMP_LINE:0:COMP_POINT}
  local word=\${line##*[[:blank:]]} head=
  local skip=$((\${#word} - \${#2}))
  # A blank in the word is quoted.
  ((skip >= 0)) || skip=0 word=$2
  line=\${line%"$word"} line=\${line%=}
  line=\${line%"\${line##*[![:blank:]]}"}
  local option=\${line##*[[:blank:]]}
  if [[ $word == --*=* ]]; then option=\${word%%=*} head=\${word%%=*}= word=\${word#*=}; fi
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    ${wordsOf([...commands.map(({ name }) => name), ...flagsOf(own)])}
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
}
complete -F _orthant orthant
`;
}

function zshScript({ options: own, commands }: Completed): string {
  const paths = { files: '_files', folders: '_files -/', listed: ' _orthant_listed' };
  const action = ({ words, paths: kind }: Value) => {
    if (words.length === 0) return kind ? paths[kind] : ' ';
    return kind ? ` _orthant_either "${paths[kind]}" ${words.join(' ')}` : `(${words.join(' ')})`;
  };
  const explained = (help: string) => `[${shortHelp(help).replaceAll(/[\\[\]]/g, '\\$&')}]`;
  const described = (name: string, help: string) => `      ${quotedWord(`${name}:${shortHelp(help).replaceAll('\\', '\\\\')}`)}`;
  const cases = commands.map(({ name, options, value }) => {
    const specs = options.map(({ flag, help, value: of }) =>
      quotedWord(`*${flag}${of ? '=' : ''}${explained(help)}${of ? `:value:${action(of)}` : ''}`),
    );
    return [
      `    ${name})`,
      '      _arguments \\',
      ...specs.map((spec) => `        ${spec} \\`),
      `        ${quotedWord(`*:argument:${action(value)}`)} ;;`,
    ].join('\n');
  });
  return `#compdef orthant
# Completion of orthant for zsh: as _orthant in a folder of $fpath, or sourced after compinit.
_orthant_either() {
  local paths=$1
  shift
  _alternative "words:word:($*)" "paths:path:$paths"
}
_orthant_listed() {
  compset -P '*,'
  compset -P '@' && _files
}
_orthant() {
  if (( CURRENT == 2 )); then
    local -a commands=(
${commands.map(({ name, help }) => described(name, help)).join('\n')}
    ) options=(
${own.map(({ flag, help }) => described(flag, help)).join('\n')}
    )
    _describe command commands -- options
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

function fishScript({ options: own, commands }: Completed): string {
  const quoted = (text: string) => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
  const paths = { files: [], folders: ['(__fish_complete_directories (__orthant_value))'], listed: ['(__orthant_listed)'] };
  const places = ({ words, paths: kind }: Value) => {
    const all = [...words, ...(kind ? paths[kind] : [])];
    return `${kind === 'files' ? ' -F' : ''}${all.length > 0 ? ` -a ${quoted(all.join(' '))}` : ''}`;
  };
  const lineOf = (command: string) => `complete -c orthant -n ${quoted(`__orthant_command ${command}`.trim())}`;
  const optionLine = (command: string, { flag, help, value }: CompletedOption) => {
    const taken = value ? `${value.paths === 'files' ? ' -r' : ' -x'}${places(value)}` : '';
    return `${lineOf(command)} -l ${flag.slice(2)} -d ${quoted(shortHelp(help))}${taken}`;
  };
  const lines = [
    ...own.map((option) => optionLine('', option)),
    ...commands.flatMap(({ name, help, options, value }) => [
      `${lineOf('')} -a ${name} -d ${quoted(shortHelp(help))}`,
      ...(places(value) ? [`${lineOf(name)}${places(value)}`] : []),
      ...options.map((option) => optionLine(name, option)),
    ]),
  ];
  return `# Completion of orthant for fish: as orthant.fish in ~/.config/fish/completions.
function __orthant_command
    set -l words (commandline -opc)
    test "$words[2]" = "$argv[1]"
end
function __orthant_value
    string replace -r -- '^--[^=]*=' '' (commandline -ct)
end
function __orthant_listed
    set -l parts (string match -r -- '^((?:.*,)?@)(.*)$' (__orthant_value)); or return
    string join \\n -- $parts[2](__fish_complete_path $parts[3])
end
complete -c orthant -f
${lines.join('\n')}
`;
}
