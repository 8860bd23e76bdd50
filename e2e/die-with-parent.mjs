// Preloaded into the processes under test: they are killed with whoever started them, however that ended, so that no
// run of the tests leaves anything behind. The channel closes with the parent.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
// Asked for what it holds it first lets go of what it does not.
process.on("message", (message) => {
  if (message?.type === "memory?") {
    setFlagsFromString("--expose-gc");
    runInNewContext("gc")();
    const { heapUsed, external } = process.memoryUsage();
    process.send?.({ type: "memory", bytes: heapUsed + external });
  }
});
process.channel?.unref();
