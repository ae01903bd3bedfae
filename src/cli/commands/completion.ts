import { Argument, type Command } from 'commander';
import { withExamples } from '../options.ts';
import type { Terminal } from '../terminal.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** A command with the words that may follow it. */
interface Node {
  /** Words from the program on: `topic create`. */
  readonly path: string;
  readonly words: readonly { readonly word: string; readonly help: string }[];
}

export function completionCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('completion')
    .description('print the completion script of a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS));
  withExamples(
    command,
    'source <(lyrebird completion bash)',
    'lyrebird completion zsh > "${fpath[1]}/_lyrebird"',
    'lyrebird completion fish > ~/.config/fish/completions/lyrebird.fish',
  );
  command.action((shell: (typeof SHELLS)[number]) => {
    const nodes = collectNodes(program, '');
    if (shell === 'bash') terminal.out(bashScript(nodes));
    else if (shell === 'zsh') terminal.out(zshScript(nodes));
    else terminal.out(fishScript(nodes));
  });
}

function collectNodes(command: Command, path: string): Node[] {
  const words = [
    ...command.commands.map((sub) => ({ word: sub.name(), help: sub.description() })),
    ...command.options.map((option) => ({
      word: option.long ?? option.short ?? '',
      help: option.description,
    })),
    { word: '--help', help: 'print help' },
  ];
  const below = command.commands.flatMap((sub) =>
    collectNodes(sub, `${path} ${sub.name()}`.trim()),
  );
  return [{ path, words }, ...below];
}

/** The longest known path is found in the words typed so far; its words are offered. */
function bashScript(nodes: readonly Node[]): string {
  const cases = nodes
    .map(
      ({ path, words }) => `    '${path}') words='${words.map(({ word }) => word).join(' ')}' ;;`,
    )
    .join('\n');
  const paths = nodes.map(({ path }) => `'${path}'`).join('|');
  return `# bash completion for lyrebird: source <(lyrebird completion bash)
_lyrebird() {
  local path='' word words='' index candidate
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    candidate="\${path:+$path }$word"
    case "$candidate" in
      ${paths}) path="$candidate" ;;
    esac
  done
  case "$path" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _lyrebird lyrebird
`;
}

function zshScript(nodes: readonly Node[]): string {
  const cases = nodes
    .map(({ path, words }) => {
      const items = words.map(({ word, help }) => zshItem(word, help)).join(' ');
      return `    '${path}') items=(${items}) ;;`;
    })
    .join('\n');
  const paths = nodes.map(({ path }) => `'${path}'`).join('|');
  return `#compdef lyrebird
_lyrebird() {
  local path_so_far='' word candidate
  local -a items
  for word in "\${words[@]:1:$((CURRENT - 2))}"; do
    candidate="\${path_so_far:+$path_so_far }$word"
    case "$candidate" in
      ${paths}) path_so_far="$candidate" ;;
    esac
  done
  case "$path_so_far" in
${cases}
  esac
  _describe 'lyrebird' items || _files
}
compdef _lyrebird lyrebird
`;
}

function zshItem(word: string, help: string): string {
  return `'${word.replaceAll(':', '\\:')}:${quoteFree(help)}'`;
}

function fishScript(nodes: readonly Node[]): string {
  const lines = ['# fish completion for lyrebird', 'complete -c lyrebird -f'];
  for (const { path, words } of nodes) {
    const seen = path
      .split(' ')
      .filter((word) => word !== '')
      .map((word) => `__fish_seen_subcommand_from ${word}`);
    const condition = seen.length === 0 ? '__fish_use_subcommand' : seen.join('; and ');
    for (const { word, help } of words) {
      const name = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`;
      lines.push(`complete -c lyrebird -n '${condition}' ${name} -d '${quoteFree(help)}'`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Inside single quotes of every shell. */
function quoteFree(text: string): string {
  return text.replaceAll("'", '’').replaceAll(/[\\`$]/g, '');
}
