import { readFileSync } from "node:fs";
import { Command } from "commander";
import { defineBench } from "./commands/bench.ts";
import { defineCert } from "./commands/cert/create.ts";
import { defineClusterStatus } from "./commands/cluster/status.ts";
import { defineCompletion } from "./commands/completion.ts";
import { defineCas } from "./commands/kv/cas.ts";
import { defineDelete } from "./commands/kv/delete.ts";
import { defineDoctor } from "./commands/doctor.ts";
import { defineEvents } from "./commands/events.ts";
import { defineExport } from "./commands/kv/export.ts";
import { defineGet } from "./commands/kv/get.ts";
import { defineImport } from "./commands/kv/import.ts";
import { definePut } from "./commands/kv/put.ts";
import { defineScan } from "./commands/kv/scan.ts";
import { definePlayground } from "./commands/playground.ts";
import { defineOperator } from "./commands/operator/operator-commands.ts";
import { definePd } from "./commands/pd/pd-commands.ts";
import { defineProcess } from "./commands/process.ts";
import { defineRegion } from "./commands/region/region-commands.ts";
import { defineScheduler } from "./commands/scheduler/scheduler-commands.ts";
import { defineTop } from "./commands/top.ts";
import { defineShell } from "./commands/shell.ts";
import { defineStore } from "./commands/store/store-commands.ts";
import { defineUnsafeRecover } from "./commands/unsafe-recover.ts";
import { defineGlobals } from "./globals.ts";
import { formatHelp, visibleCommands, visibleGlobalOptions } from "./output/help.ts";
import type { Shell } from "./shell.ts";

const EXAMPLES = `
Examples:
  rdb playground                          start a cluster of three Stores on this machine
  rdb put apple 1                         write
  rdb get apple                           read
  rdb scan --prefix city/FR/ --limit 10   ten keys and their values
  rdb export rows.jsonl --prefix city/    rows to a file; rdb import brings them back
  rdb cas apple 2 --expect-version 7      write only if nobody else has
  rdb doctor                              is anything wrong, and what to do
  rdb top                                 what goes on, live
  rdb region list                         where the data is
  rdb region move 7 --from 1 --to 4       move a peer, and wait until it is done
  rdb store decommission 2                empty a Store, to shut it down for good
  rdb bench put --clients 256             how many writes a second it takes
  rdb operator explain 7                  why a Region is, or is not, being changed
  rdb put big --value-file photo.jpg      a value from a file; - is stdin
  rdb put -- -key value                   a key that begins with a dash

Exit status: 0 done, 1 failed (not found included), 2 wrong usage.
`;

function programVersion(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** The tree of commands. */
export function buildProgram(shell: Shell): Command {
  const program = new Command("rdb")
    .description("FlareDB: a linearizable, sharded key-value store.")
    .usage("<command> [options]")
    .version(programVersion(), "-V, --version", "print the program's version")
    .showHelpAfterError("(run with --help for what it takes)")
    .addHelpText("after", EXAMPLES)
    .configureHelp({ showGlobalOptions: true, formatHelp, visibleCommands, visibleGlobalOptions })
    .configureOutput({
      writeOut: (text) => shell.io.stdout.write(text),
      // With --json the error is written as a document, by whoever catches it.
      writeErr: (text) => shell.json || shell.io.stderr.write(text),
      getOutHelpWidth: () => shell.io.columns ?? 100,
      getErrHelpWidth: () => shell.io.columns ?? 100,
    })
    .exitOverride();
  defineGlobals(program);

  program.commandsGroup("Keys and values:");
  definePut(program, shell);
  defineGet(program, shell);
  defineDelete(program, shell);
  defineScan(program, shell);
  defineCas(program, shell);
  defineExport(program, shell);
  defineImport(program, shell);

  program.commandsGroup("The cluster:");
  const cluster = program.command("cluster").description("status: how it is");
  defineClusterStatus(cluster, shell);
  defineDoctor(program, shell);
  defineTop(program, shell);
  defineEvents(program, shell);
  defineRegion(program, shell);
  defineStore(program, shell);
  defineOperator(program, shell);
  defineScheduler(program, shell);
  definePd(program, shell);
  defineUnsafeRecover(program, shell);

  program.commandsGroup("Running it:");
  definePlayground(program, shell);
  defineBench(program, shell);
  defineCert(program, shell);
  defineShell(program, shell);
  defineCompletion(program, shell);
  defineProcess(program, "server", "run one Store (see rdb server --help)");
  return program;
}
