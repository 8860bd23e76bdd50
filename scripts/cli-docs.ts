import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandReference, commandReference } from "../packages/rdb-cli/src/index.ts";
import { root } from "./source-files.ts";

const INTRODUCTION = `# The command line

\`rdb\` (also \`rdb-cli\`) reads, writes and operates a cluster. In the repository: \`npx rdb …\`.

It talks to the placement driver at \`127.0.0.1:7400\`, which \`npm start\` starts, or to the one that \`--pd\` or the
variable \`RDB_PD\` names. Keys and values are text; with \`--hex\` they are hexadecimal digits in both directions.

| | |
| --- | --- |
| \`--json\` | documents for programs, one a line, the same as the [admin API](admin-api.md)'s; errors too |
| \`--watch\` | what only looks, looks again and again: in place on a terminal, one after the other elsewhere |
| colours | on a terminal alone, and not when \`NO_COLOR\` is set |
| exit code | 0 done; 1 failed, or not there, or not well; 2 wrong usage; 130 Ctrl-C ended the waiting |
| completion | \`source <(rdb completion bash)\`; zsh and fish too: \`rdb completion --help\` |

\`rdb server\` and \`rdb pd\` with options behind them run the programs themselves: [configuration.md](configuration.md).

Written by \`npm run docs:cli\` from the commands themselves; a test compares the two.
`;

/** docs/cli.md as the tree of commands makes it. */
export function renderCliDocs(): string {
  const { options, commands } = commandReference();
  const globals = options.filter(({ flags }) => !flags.includes("--version"));
  const sections = commands.flatMap((command) => sectionsOf(command, "##"));
  return `${INTRODUCTION}\n## For every command\n\n${optionTable(globals)}\n${sections.join("\n")}`;
}

/** A group has a section, and below it one for each of its commands. */
function sectionsOf(command: CommandReference, mark: string): string[] {
  const { name, description, usage, options, commands } = command;
  const title = `${mark} rdb ${name}\n\n${sentence(description)}\n`;
  if (commands.length > 0) {
    return [title, ...commands.flatMap((child) => sectionsOf(child, `${mark}#`))];
  }
  const call = `\n\`${usage}${options.length > 0 ? " [options]" : ""}\`\n`;
  return [title + call + (options.length > 0 ? `\n${optionTable(options)}` : "")];
}

function optionTable(options: CommandReference["options"]): string {
  const rows = options.map(({ flags, description }) => `| \`${flags}\` | ${escaped(description)} |\n`);
  return `| Option | Meaning |\n| --- | --- |\n${rows.join("")}`;
}

function sentence(text: string): string {
  return escaped(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
}

function escaped(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "\\<");
}

if (import.meta.main) {
  writeFileSync(join(root, "docs", "cli.md"), renderCliDocs());
}
