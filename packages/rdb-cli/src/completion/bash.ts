import type { CompletionNode, CompletionOption } from "./completion-tree.ts";

/** The completion for bash: 3.2, which macOS has, or later. */
export function bashCompletion(nodes: readonly CompletionNode[]): string {
  return `# bash completion for rdb, as \`rdb completion bash\` writes it.

_rdb_commands() {
  case "$1" in
${cases(nodes, (node) => [`"${node.place}"`, echo(node.commands.map(({ name }) => name))])}  esac
}

_rdb_options() {
  case "$1" in
${cases(nodes, (node) => [`"${node.place}"`, echo(node.options.flatMap(({ flags }) => flags.slice(0, 1)))])}  esac
}

# Whether an option is followed by a value.
_rdb_takes_value() {
  case "$1 $2" in
${cases(valueOptions(nodes), ([node, option]) => [patterns(node, option), "return 0"])}  esac
  return 1
}

# What an option's value names.
_rdb_option_kind() {
  case "$1 $2" in
${cases(valueOptions(nodes), ([node, option]) => [patterns(node, option), echo([option.kind])])}  esac
}

# What the argument at a position names.
_rdb_argument_kind() {
  case "$1 $2" in
${cases(knownArguments(nodes), ([pattern, kind]) => [pattern, echo([kind])])}  esac
}

_rdb() {
  local line="\${COMP_LINE:0:COMP_POINT}" place="" position=0 expects="" pd="" word index kind
  local -a words
  # Not COMP_WORDS: those are cut at the colon of HOST:PORT.
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local current="\${words[\${#words[@]} - 1]}"
  for ((index = 1; index < \${#words[@]} - 1; index++)); do
    word="\${words[index]}"
    if [[ -n $expects ]]; then
      [[ $expects == --pd ]] && pd="$word"
      expects=""
    elif [[ $word == -* ]]; then
      _rdb_takes_value "$place" "$word" && expects="$word"
    elif [[ " $(_rdb_commands "$place") " == *" $word "* ]]; then
      place="\${place:+$place }$word"
      position=0
    else
      ((position++))
    fi
  done
  COMPREPLY=()
  if [[ -n $expects ]]; then
    kind="$(_rdb_option_kind "$place" "$expects")"
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$(_rdb_options "$place")" -- "$current"))
    return
  else
    COMPREPLY=($(compgen -W "$(_rdb_commands "$place")" -- "$current"))
    kind="$(_rdb_argument_kind "$place" "$position")"
  fi
  case "$kind" in
    "") ;;
    file) COMPREPLY=($(compgen -f -- "$current")) ;;
    folder) COMPREPLY=($(compgen -d -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$("\${words[0]}" completion-ids "$kind" \${pd:+--pd "$pd"} 2> /dev/null)" -- "$current")) ;;
  esac
}

complete -o bashdefault -F _rdb rdb rdb-cli
`;
}

/** Every option that takes a value, with its command. */
function valueOptions(nodes: readonly CompletionNode[]): (readonly [CompletionNode, CompletionOption])[] {
  return nodes.flatMap((node) =>
    node.options.filter(({ takesValue }) => takesValue).map((option) => [node, option] as const),
  );
}

/** Patterns of "PLACE POSITION" and what the argument there names. */
function knownArguments(nodes: readonly CompletionNode[]): (readonly [string, string])[] {
  return nodes.flatMap(({ place, argumentKinds, isVariadic }) =>
    argumentKinds.flatMap((kind, at) => {
      const isLast = at === argumentKinds.length - 1;
      return kind === undefined ? [] : [[`"${place} "${isLast && isVariadic ? "*" : at}`, kind] as const];
    }),
  );
}

function patterns({ place }: CompletionNode, { flags }: CompletionOption): string {
  return flags.map((flag) => `"${place} ${flag}"`).join(" | ");
}

function echo(words: readonly (string | undefined)[]): string | undefined {
  const known = words.filter((word) => word !== undefined);
  return known.length === 0 ? undefined : `echo "${known.join(" ")}"`;
}

/** The branches of a `case`; those that would do nothing are left out. */
function cases<Item>(
  items: readonly Item[],
  branch: (item: Item) => readonly [pattern: string, body: string | undefined],
): string {
  return items
    .map(branch)
    .filter(([, body]) => body !== undefined)
    .map(([pattern, body]) => `    ${pattern}) ${body} ;;\n`)
    .join("");
}
