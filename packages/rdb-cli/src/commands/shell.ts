import type { Command } from "commander";
import { completionTree } from "../completion/completion-tree.ts";
import { type ExitCode, exitCodes, reportFailure } from "../failure.ts";
import type { Globals } from "../globals.ts";
import { invalid } from "../input/bytes.ts";
import { write } from "../io.ts";
import type { Prompt } from "../repl/prompt.ts";
import { splitLine } from "../repl/split-line.ts";
import { type Call, type Shell, defineAction } from "../shell.ts";

const NOTES = `
Each line is a command without "rdb"; help lists them, Tab completes them, exit or Ctrl-D ends. Ctrl-C ends a command
that waits, and drops a line. Lines are kept in RDB_HISTORY (default ~/.local/state/flaredb/history), but for those that
begin with a blank. When stdin is no terminal, the first command that fails ends it: rdb shell < commands.txt
`;

const endings = new Set(["exit", "quit"]);

/** What would never come back, or take the lines that follow for its own. */
const refused = new Set(["shell", "server", "playground"]);

/** `rdb shell` */
export function defineShell(program: Command, shell: Shell): void {
  const command = program
    .command("shell")
    .description("take commands line by line, with history and completion")
    .addHelpText("after", NOTES);
  defineAction(command, shell, (call: Call<unknown>) => runShell(call, program, shell));
}

async function runShell(call: Call<unknown>, program: Command, shell: Shell): Promise<ExitCode> {
  const { Prompt } = await import("../repl/prompt.ts");
  const prompt = new Prompt(call.io, call.globals, completionTree(program));
  const isTerminal = call.io.columns !== undefined;
  if (isTerminal) {
    await write(call.io.stdout, "help lists the commands, Tab completes them, exit or Ctrl-D ends.\n");
  }
  try {
    for await (const line of prompt.lines()) {
      const exitCode = await runLine(call, line, prompt, shell);
      if (exitCode === "end") {
        return exitCodes.done;
      }
      if (exitCode !== exitCodes.done && !isTerminal) {
        return exitCode;
      }
    }
    return exitCodes.done;
  } finally {
    prompt.close();
  }
}

async function runLine(
  call: Call<unknown>,
  line: string,
  prompt: Prompt,
  shell: Shell,
): Promise<ExitCode | "end"> {
  try {
    const [first, ...rest] = splitLine(line);
    const words = first === "rdb" ? rest : [first ?? "", ...rest];
    const [name = ""] = words;
    if (name === "" || name.startsWith("#")) {
      return exitCodes.done;
    }
    if (endings.has(name)) {
      return "end";
    }
    if (refused.has(name) || (name === "pd" && words[1]?.startsWith("-"))) {
      throw invalid("line", `${name} cannot be run from within the shell: give it a terminal of its own`);
    }
    return await shell.run(
      [...globalWords(call.globals), ...(name === "help" ? ["--help"] : words)],
      prompt.io,
    );
  } catch (error) {
    return reportFailure(error, call.globals.json, call.io);
  }
}

/** What was said to the shell holds for each line; what a line says itself comes later, and wins. */
function globalWords({ pdAddresses, timeoutMs, json, tls }: Globals): string[] {
  const file = (flag: string, path: string | undefined): string[] => (path === undefined ? [] : [flag, path]);
  return [
    ...["--pd", pdAddresses.join(","), "--timeout", `${timeoutMs}ms`, ...(json ? ["--json"] : [])],
    ...file("--tls-ca", tls?.ca),
    ...file("--tls-cert", tls?.cert),
    ...file("--tls-key", tls?.key),
  ];
}
