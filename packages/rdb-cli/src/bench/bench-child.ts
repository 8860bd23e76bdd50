// One of several processes that make load for `rdb bench --processes`. Told what to do by the one that started it, and
// gone when that one is.
import { RdbError } from "@flaredb/rdb-base";
import { encodeResult, type FromChild, type ToChild } from "./child-messages.ts";
import { LocalGenerator } from "./generator.ts";

/** Shorter than a line is shown for: none is then without what came meanwhile. */
const INTERVAL_MS = 500;

let generator: LocalGenerator | undefined;
let ticks: NodeJS.Timeout | undefined;

process.on("message", (message) => {
  handle(message as ToChild).catch((caught: unknown) => {
    const { code, message } = RdbError.from(caught);
    say({ type: "failed", code, message });
  });
});
process.on("disconnect", () => process.exit(0));

async function handle(message: ToChild): Promise<void> {
  switch (message.type) {
    case "prepare":
      generator = new LocalGenerator(message.options, message.target);
      await generator.prepare();
      say({ type: "prepared" });
      break;
    case "run": {
      ticks = setInterval(() => {
        const latencies = started().takeInterval().encode();
        say({ type: "interval", latencies, durationMs: started().intervalMs });
      }, INTERVAL_MS);
      const result = await started().run();
      clearInterval(ticks);
      started().close();
      say({ type: "result", result: encodeResult(result) });
      break;
    }
    case "stop":
      generator?.stop();
  }
}

function started(): LocalGenerator {
  if (generator === undefined) {
    throw new RdbError("RDB_INTERNAL", "a process that makes load was told to run before it was prepared");
  }
  return generator;
}

function say(message: FromChild): void {
  process.send?.(message);
}
