import type { CompletionNode, CompletionOption } from "./completion-tree.ts";

/** The completion for fish 3. */
export function fishCompletion(nodes: readonly CompletionNode[]): string {
  return `# fish completion for rdb, as \`rdb completion fish\` writes it.

# The commands that may follow at a place.
function __rdb_commands
  switch "$argv[1]"
${nodes.map(commandsCase).join("")}  end
end

# Whether an option is followed by a value.
function __rdb_takes_value
  switch "$argv[1] $argv[2]"
${nodes.map(valueCase).join("")}  end
  return 1
end

# Prints where on the tree of commands the cursor is, and behind how many arguments: "region show/0".
function __rdb_place
  set -l words (commandline -opc)
  set -e words[1]
  set -l place ""
  set -l position 0
  set -l expects ""
  for word in $words
    if test -n "$expects"
      set expects ""
    else if string match -q -- '-*' $word
      __rdb_takes_value "$place" $word; and set expects $word
    else if contains -- $word (__rdb_commands "$place")
      set place (string trim -- "$place $word")
      set position 0
    else
      set position (math $position + 1)
    end
  end
  echo "$place/$position"
end

function __rdb_at
  string match -q -- "$argv[1]" (__rdb_place)
end

function __rdb_ids
  set -l words (commandline -opc)
  set -l pd
  set -l at (contains -i -- --pd $words); and set pd --pd $words[(math $at + 1)]
  $words[1] completion-ids $argv[1] $pd 2>/dev/null
end

for program in rdb rdb-cli
  complete -c $program -e
  complete -c $program -f
${nodes.map(completions).join("")}end
`;
}

function commandsCase({ place, commands }: CompletionNode): string {
  const names = commands.map(({ name }) => name).join(" ");
  return names === "" ? "" : `    case ${quote(place)}\n      string split ' ' ${quote(names)}\n`;
}

function valueCase({ place, options }: CompletionNode): string {
  const patterns = options
    .filter(({ takesValue }) => takesValue)
    .flatMap(({ flags }) => flags.map((flag) => quote(`${place} ${flag}`)));
  return patterns.length === 0 ? "" : `    case ${patterns.join(" ")}\n      return 0\n`;
}

function completions(node: CompletionNode): string {
  const { place, commands, options, argumentKinds, isVariadic } = node;
  const line = (condition: string, what: string): string =>
    `  complete -c $program -n ${quote(`__rdb_at ${quote(condition)}`)} ${what}\n`;
  return [
    ...commands.map(({ name, description }) => line(`${place}/*`, `-a ${name} -d ${quote(description)}`)),
    ...options.map((option) => line(`${place}/*`, optionWords(option))),
    ...argumentKinds.map((kind, at) => {
      const position = isVariadic && at === argumentKinds.length - 1 ? "*" : String(at);
      return kind === undefined ? "" : line(`${place}/${position}`, values(kind));
    }),
  ].join("");
}

function optionWords({ flags, description, takesValue, kind }: CompletionOption): string {
  const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const value = takesValue ? (kind === undefined ? ["-x"] : ["-r", values(kind)]) : [];
  return [...names, ...value, `-d ${quote(description)}`].join(" ");
}

function values(kind: string): string {
  switch (kind) {
    case "file":
      return "-F";
    case "folder":
      return "-a '(__fish_complete_directories)'";
    default:
      return `-a '(__rdb_ids ${kind})'`;
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
