/**
 * `npm run mutants`: do the instruments find bugs? Plants known ones in a copy of the sources and hunts each; see
 * packages/rdb-sim/src/mutants.
 */
import { runMutants } from "../packages/rdb-sim/src/mutants/main.ts";
import { root } from "./source-files.ts";

process.exitCode = await runMutants(process.argv.slice(2), {
  root,
  output: {
    print: (line) => console.log(`${clearLine()}${line}`),
    printError: (line) => console.error(`${clearLine()}${line}`),
    showProgress: (line) => process.stdout.isTTY && process.stdout.write(`${clearLine()}${line}`),
  },
});

/** What progress left on the terminal's line. */
function clearLine(): string {
  return process.stdout.isTTY ? "\r\u001B[K" : "";
}
