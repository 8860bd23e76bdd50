// What the playground runs for each of its processes: the Store or PD itself, which stops when the playground is
// gone, however that ended. The channel to the parent closes with the parent, kill -9 included.
import { type ProcessKind, runProcess } from "../run-process.ts";

const [kind, ...args] = process.argv.slice(2);
process.on("disconnect", () => {
  process.kill(process.pid, "SIGTERM");
});
// The channel alone must not keep a process alive that has stopped.
process.channel?.unref();
await runProcess(kind as ProcessKind, args);
