import type { CompletionNode, CompletionOption } from "./completion-tree.ts";

/** The completion for zsh: to be sourced after compinit, or kept as `_rdb` in a folder of fpath. */
export function zshCompletion(nodes: readonly CompletionNode[]): string {
  return `#compdef rdb rdb-cli
# zsh completion for rdb, as \`rdb completion zsh\` writes it.

# Each sets \`reply\` to NAME:DESCRIPTION.
_rdb_commands() {
  reply=()
  case "$1" in
${branches(nodes, (node) => list(node.commands.map(({ name, description }) => [name, description])))}  esac
}

_rdb_options() {
  reply=()
  case "$1" in
${branches(nodes, (node) => list(node.options.map(({ flags, description }) => [flags[0] ?? "", description])))}  esac
}

# Sets \`reply\` to what an option's value names, and says whether it takes one.
_rdb_takes_value() {
  reply=("")
  case "$1 $2" in
${nodes.map(optionBranches).join("")}  esac
  return 1
}

_rdb_argument_kind() {
  reply=("")
  case "$1 $2" in
${nodes.map(argumentBranches).join("")}  esac
}

_rdb() {
  local place="" expects="" pd="" word kind
  local -i position=0 index
  local -a reply names
  for ((index = 2; index < CURRENT; index++)); do
    word="\${words[index]}"
    if [[ -n $expects ]]; then
      [[ $expects == --pd ]] && pd="$word"
      expects=""
    elif [[ $word == -* ]]; then
      _rdb_takes_value "$place" "$word" && expects="$word"
    else
      _rdb_commands "$place"
      names=("\${(@)reply%%:*}")
      if ((\${names[(Ie)$word]})); then
        place="\${place:+$place }$word"
        position=0
      else
        position+=1
      fi
    fi
  done
  if [[ -n $expects ]]; then
    _rdb_takes_value "$place" "$expects"
    kind="\${reply[1]}"
  elif [[ "\${words[CURRENT]}" == -* ]]; then
    _rdb_options "$place"
    _describe option reply
    return
  else
    _rdb_commands "$place"
    ((\${#reply})) && _describe command reply
    _rdb_argument_kind "$place" "$position"
    kind="\${reply[1]}"
  fi
  case "$kind" in
    "") ;;
    file) _files ;;
    folder) _files -/ ;;
    *) compadd -- \${(f)"$("\${words[1]}" completion-ids "$kind" \${pd:+--pd} \${pd:+$pd} 2> /dev/null)"} ;;
  esac
}

if [[ "\${funcstack[1]}" == _rdb ]]; then
  _rdb "$@"
else
  compdef _rdb rdb rdb-cli
fi
`;
}

function branches(nodes: readonly CompletionNode[], reply: (node: CompletionNode) => string): string {
  return nodes.map((node) => `    ${quote(node.place)}) reply=(${reply(node)}) ;;\n`).join("");
}

function list(items: readonly (readonly [name: string, description: string])[]): string {
  return items.map(([name, description]) => quote(`${name}:${description}`)).join(" ");
}

function optionBranches({ place, options }: CompletionNode): string {
  const pattern = ({ flags }: CompletionOption): string =>
    flags.map((flag) => quote(`${place} ${flag}`)).join(" | ");
  return options
    .filter(({ takesValue }) => takesValue)
    .map((option) => `    ${pattern(option)}) reply=(${quote(option.kind ?? "")}); return 0 ;;\n`)
    .join("");
}

function argumentBranches({ place, argumentKinds, isVariadic }: CompletionNode): string {
  return argumentKinds
    .map((kind, at) => {
      const position = isVariadic && at === argumentKinds.length - 1 ? "*" : String(at);
      return kind === undefined ? "" : `    ${quote(`${place} `)}${position}) reply=(${kind}) ;;\n`;
    })
    .join("");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
