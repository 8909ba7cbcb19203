/** Shell completion made from the list of commands. Pure: the same commands give the same script. */

export type Shell = 'bash' | 'zsh' | 'fish';

export interface CompletedFlag {
  readonly name: string;
  readonly summary: string;
  readonly takesValue: boolean;
  readonly options: readonly string[];
}

export interface CompletedCommand {
  /** `profile list` */
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  /** Its arguments. One named `profile` is completed with the names of profiles, others with their options, else files. */
  readonly args: readonly CompletedArgument[];
}

export interface CompletedArgument {
  readonly name: string;
  readonly options: readonly string[];
}

/** Flags and arguments that name a profile. */
const PROFILE_NAMES = ['profile'];

export function writeCompletion(shell: Shell, bin: string, commands: readonly CompletedCommand[]): string {
  if (shell === 'bash') return writeBash(bin, commands);
  if (shell === 'zsh') return writeZsh(bin, commands);
  return writeFish(bin, commands);
}

/** The words that may follow `prefix` in the names of commands: after `profile`, `list`, `show` … */
function nextWords(commands: readonly CompletedCommand[], prefix: string): Map<string, string> {
  const words = new Map<string, string>();
  for (const { name, summary } of commands) {
    if (prefix !== '' && !name.startsWith(`${prefix} `)) continue;
    const [word = '', ...rest] = name.slice(prefix === '' ? 0 : prefix.length + 1).split(' ');
    if (!words.has(word) || rest.length === 0) words.set(word, rest.length === 0 ? summary : `Commands about ${word}`);
  }
  return words;
}

function listPrefixes(commands: readonly CompletedCommand[]): string[] {
  const prefixes = commands.flatMap(({ name }) => {
    const words = name.split(' ');
    return words.slice(0, -1).map((_, index) => words.slice(0, index + 1).join(' '));
  });
  return ['', ...new Set(prefixes)];
}

function writeBash(bin: string, commands: readonly CompletedCommand[]): string {
  const name = functionName(bin);
  const words = listPrefixes(commands).map(
    (prefix) => `    ${quote(prefix)}) words=${quote([...nextWords(commands, prefix).keys()].join(' '))} ;;`,
  );
  const flags = commands.map((command) => `    ${quote(command.name)}) flags=${quote(flagWords(command))} ;;`);
  const values = listValueFlags(commands).map(
    ([flag, options]) => `    --${flag}) words=${bashWords(bin, flag, options)} ;;`,
  );
  const args = listKnownArguments(commands).map(
    ([command, arg]) => `    ${quote(command)}) words=${bashWords(bin, arg.name, arg.options)} ;;`,
  );
  return `# bash completion for ${bin}. To turn it on: source <(${bin} completion bash)
${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command= words= flags= word
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) break ;; esac
    case "$command\${command:+ }$word" in
      ${commandPatterns(commands)}) command="$command\${command:+ }$word" ;;
      *) break ;;
    esac
  done
  case $previous in
${values.join('\n')}
  esac
  if [[ -z $words && $current == -* ]]; then
    case $command in
${flags.join('\n')}
    esac
    words=$flags
  elif [[ -z $words && $previous != --* ]]; then
    case $command in
${words.join('\n')}
    esac
    case $command in
${args.join('\n')}
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F ${name} ${bin}
`;
}

function writeZsh(bin: string, commands: readonly CompletedCommand[]): string {
  const name = functionName(bin);
  const words = listPrefixes(commands).map((prefix) => {
    const entries = [...nextWords(commands, prefix)].map(([word, summary]) => quote(`${word}:${summary}`));
    return `    ${quote(prefix)}) choices=(${entries.join(' ')}) ;;`;
  });
  const flags = commands.map(({ name: command, flags: known }) => {
    const entries = known.map((flag) => quote(`--${flag.name}:${flag.summary}`));
    return `    ${quote(command)}) choices=(${entries.join(' ')}) ;;`;
  });
  const values = listValueFlags(commands).map(
    ([flag, options]) => `    --${flag}) ${zshValues(bin, flag, options)}; return ;;`,
  );
  const args = listKnownArguments(commands).map(
    ([command, arg]) => `    ${quote(command)}) ${zshValues(bin, arg.name, arg.options)}; return ;;`,
  );
  return `#compdef ${bin}
# zsh completion for ${bin}. To turn it on: source <(${bin} completion zsh)
${name}() {
  local command= word
  local -a choices
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ $word == -* ]] && break
    case "$command\${command:+ }$word" in
      ${commandPatterns(commands)}) command="$command\${command:+ }$word" ;;
      *) break ;;
    esac
  done
  case $words[CURRENT-1] in
${values.join('\n')}
  esac
  if [[ $words[CURRENT] == -* ]]; then
    case $command in
${flags.join('\n')}
    esac
    _describe -o flag choices
    return
  fi
  case $command in
${args.join('\n')}
  esac
  case $command in
${words.join('\n')}
  esac
  if (( $#choices )); then _describe command choices; else _files; fi
}
if [[ $funcstack[1] == ${name} ]]; then ${name} "$@"; else compdef ${name} ${bin}; fi
`;
}

function writeFish(bin: string, commands: readonly CompletedCommand[]): string {
  const lines = [`# fish completion for ${bin}. To turn it on: ${bin} completion fish | source`];
  for (const prefix of listPrefixes(commands)) {
    for (const [word, summary] of nextWords(commands, prefix)) {
      lines.push(`complete -c ${bin} -f -n ${quote(fishCondition(bin, prefix))} -a ${word} -d ${quote(summary)}`);
    }
  }
  for (const { name, flags } of commands) {
    const condition = quote(fishSeen(name));
    for (const flag of flags) {
      const value = flag.takesValue ? ` -r${fishValues(bin, flag)}` : '';
      lines.push(`complete -c ${bin} -n ${condition} -l ${flag.name}${value} -d ${quote(flag.summary)}`);
    }
  }
  for (const [name, arg] of listKnownArguments(commands)) {
    lines.push(`complete -c ${bin} -n ${quote(fishSeen(name))}${fishValues(bin, arg)}`);
  }
  return `${lines.join('\n')}\n`;
}

function fishCondition(bin: string, prefix: string): string {
  if (prefix === '') return '__fish_use_subcommand';
  return `test (string join ' ' (commandline -opc)) = '${bin} ${prefix}'`;
}

function fishSeen(name: string): string {
  return name
    .split(' ')
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join('; and ');
}

function fishValues(bin: string, { name, options }: CompletedArgument): string {
  if (options.length > 0) return ` -f -a ${quote(options.join(' '))}`;
  return PROFILE_NAMES.includes(name) ? ` -a '(${bin} profile list --names)'` : '';
}

function flagWords({ flags }: CompletedCommand): string {
  return flags.map((flag) => `--${flag.name}`).join(' ');
}

function listValueFlags(commands: readonly CompletedCommand[]): [string, readonly string[]][] {
  const flags = new Map<string, readonly string[]>();
  for (const flag of commands.flatMap((command) => command.flags)) {
    if (flag.takesValue && (flag.options.length > 0 || PROFILE_NAMES.includes(flag.name)))
      flags.set(flag.name, flag.options);
  }
  return [...flags];
}

/** The first argument of each command where its values are known. */
function listKnownArguments(commands: readonly CompletedCommand[]): [string, CompletedArgument][] {
  return commands.flatMap(({ name, args }) => {
    const [first] = args;
    return first !== undefined && (first.options.length > 0 || PROFILE_NAMES.includes(first.name))
      ? [[name, first]]
      : [];
  });
}

function bashWords(bin: string, flag: string, options: readonly string[]): string {
  return PROFILE_NAMES.includes(flag) ? `$(${bin} profile list --names 2>/dev/null)` : quote(options.join(' '));
}

function zshValues(bin: string, flag: string, options: readonly string[]): string {
  if (!PROFILE_NAMES.includes(flag)) return `compadd -- ${options.map(quote).join(' ')}`;
  return `compadd -- \${(f)"$(${bin} profile list --names 2>/dev/null)"}; _files -g '*.y(a|)ml'`;
}

/** Every name of a command and of a topic, as alternatives of a shell's `case`. */
function commandPatterns(commands: readonly CompletedCommand[]): string {
  const names = [
    ...commands.map((command) => command.name),
    ...listPrefixes(commands).filter((prefix) => prefix !== ''),
  ];
  return [...new Set(names)].map(quote).join('|');
}

function functionName(bin: string): string {
  return `_${bin.replaceAll(/\W/g, '_')}`;
}

/** For all three shells: nothing is special in single quotes but the quote itself. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
