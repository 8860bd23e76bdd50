import type { Command } from "commander";
import { completionTree, idKinds } from "../completion/completion-tree.ts";
import { fetchIds } from "../completion/fetch-ids.ts";
import { invalid } from "../input/bytes.ts";
import { write } from "../io.ts";
import { type Call, type Shell, defineAction } from "../shell.ts";

const NOTES = `
For this session, or for each one from the shell's own file:
  bash   source <(rdb completion bash)              in ~/.bashrc
  zsh    source <(rdb completion zsh)               in ~/.zshrc, after compinit
  fish   rdb completion fish | source               in ~/.config/fish/config.fish
Ids of Stores, Regions and the like are asked of the cluster that --pd or RDB_PD names.
`;

/** `rdb completion SHELL`, and what the completions ask. */
export function defineCompletion(program: Command, shell: Shell): void {
  const command = program
    .command("completion <shell>")
    .description("print the completion of this program for bash, zsh or fish")
    .addHelpText("after", NOTES);
  defineAction(command, shell, (call: Call<unknown>, name: string) => printCompletion(call, program, name));
  const ids = program.command("completion-ids <kind>", { hidden: true });
  defineAction(ids, shell, printIds);
}

async function printCompletion(call: Call<unknown>, program: Command, name: string): Promise<undefined> {
  const nodes = completionTree(program);
  switch (name) {
    case "bash": {
      const { bashCompletion } = await import("../completion/bash.ts");
      return write(call.io.stdout, bashCompletion(nodes)).then(() => undefined);
    }
    case "zsh": {
      const { zshCompletion } = await import("../completion/zsh.ts");
      return write(call.io.stdout, zshCompletion(nodes)).then(() => undefined);
    }
    case "fish": {
      const { fishCompletion } = await import("../completion/fish.ts");
      return write(call.io.stdout, fishCompletion(nodes)).then(() => undefined);
    }
    default:
      throw invalid("shell", `shell "${name}" must be bash, zsh or fish`);
  }
}

async function printIds(call: Call<unknown>, kindText: string): Promise<undefined> {
  const kind = idKinds.find((each) => each === kindText);
  if (kind === undefined) {
    throw invalid("kind", `kind "${kindText}" must be one of ${idKinds.join(", ")}`);
  }
  const ids = await fetchIds(call.globals, kind);
  await call.print(ids, () => ids.map((id) => `${id}\n`).join(""));
}
