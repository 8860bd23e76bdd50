// `npm run measure:overload`: what a cluster keeps of its throughput when more clients come than it can serve, what it
// refuses, and what its Stores' memory does meanwhile. Prints a table, with the number of clients that got most as 100 %,
// and the memory of each Store, second by second.
// usage: npm run measure:overload -- [--op put] [--clients 256] [--factors 1,4,64] [--rounds 2] [--seconds 5]
import { parseArgs } from "node:util";
import { positiveFlag, wholeFlag } from "../e2e/flags.ts";
import { type OverloadRow, measureOverload } from "./bench/overload.ts";

const { values: flags } = parseArgs({
  options: {
    op: { type: "string", default: "put" },
    clients: { type: "string", default: "256" },
    factors: { type: "string", default: "1,4,64" },
    rounds: { type: "string", default: "2" },
    seconds: { type: "string", default: "5" },
  },
});
if (flags.op !== "put" && flags.op !== "get") {
  throw new Error(`--op ${flags.op} must be put or get`);
}
const rows = await measureOverload({
  op: flags.op,
  clients: wholeFlag("clients", flags.clients),
  factors: flags.factors.split(",").map((factor) => wholeFlag("factors", factor)),
  rounds: wholeFlag("rounds", flags.rounds),
  seconds: positiveFlag("seconds", flags.seconds),
});
/** Of the number of clients with which there was most, the mean of its rounds. */
const peakPerSecond = Math.max(
  ...[...Map.groupBy(rows, ({ factor }) => factor).values()].map(
    (rounds) => rounds.reduce((sum, { opsPerSecond }) => sum + opsPerSecond, 0) / rounds.length,
  ),
);
console.log(["clients", "calls/s", "of peak", "p50 ms", "p99 ms", "sent again", "errors"].join("\t"));
for (const row of rows) {
  console.log(describe(row));
}
console.log("\nMemory of each Store, MiB, second by second");
for (const { clients, memoryMiB } of rows) {
  for (const [store, series] of memoryMiB.entries()) {
    console.log([clients, `Store ${store + 1}`, ...series].join("\t"));
  }
}

function describe({ clients, opsPerSecond, p50Ms, p99Ms, sentAgain, errors }: OverloadRow): string {
  const share = `${((opsPerSecond * 100) / peakPerSecond).toFixed(0)} %`;
  const failed = Object.entries(errors).map(([code, count]) => `${count} ${code}`);
  return [
    clients,
    Math.round(opsPerSecond),
    share,
    p50Ms.toFixed(1),
    p99Ms.toFixed(1),
    sentAgain,
    failed.length === 0 ? "none" : failed.join(", "),
  ].join("\t");
}
