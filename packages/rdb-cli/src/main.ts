import { pdCommandNames } from "./commands/pd/names.ts";
import { exitCodes } from "./failure.ts";
import { processIo } from "./io.ts";

const [first, ...rest] = process.argv.slice(2);
if (first === "server" || (first === "pd" && !pdCommandNames.has(rest[0] ?? ""))) {
  const { runProcess } = await import("./run-process.ts");
  await runProcess(first, rest);
} else {
  // `rdb scan | head`: when the reader has seen enough there is nobody to tell.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") {
      process.stderr.write(`error: the output cannot be written: ${error.message}\n`);
      process.exit(exitCodes.failed);
    }
    process.exit(exitCodes.done);
  });
  const { run } = await import("./run.ts");
  process.exitCode = await run(process.argv.slice(2), processIo());
}
