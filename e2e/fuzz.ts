// `npm run fuzz`: what no client sends, to every port of real processes, while a client works beside it: no process ends,
// none keeps what it was made to hold, and whoever is answered is told why. docs/security.md says more.
// usage: npm run fuzz -- [--minutes 10] [--seed S]
import { parseArgs } from "node:util";
import { MINUTE_MS } from "@flaredb/rdb-base";
import { fuzzSeed } from "@flaredb/rdb-proto/testing";
import { fuzz } from "./fuzz/run.ts";

const { values: flags } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: String(fuzzSeed()) },
  },
});
const durationMs = Number(flags.minutes) * MINUTE_MS;
const seed = Number(flags.seed);
if (!(durationMs > 0) || !Number.isSafeInteger(seed)) {
  console.error("--minutes must be > 0, and --seed an integer");
  process.exit(2);
}
console.log(`Seed ${seed}, ${flags.minutes} minutes.`);
const findings = await fuzz({ seed, durationMs, print: (line) => console.log(line) });
findings.forEach((finding) => console.log(`\nFOUND  ${finding}`));
console.log(
  findings.length === 0 ? `\nNothing found. Seed ${seed}.` : `\n${findings.length} found. Seed ${seed}.`,
);
process.exit(findings.length === 0 ? 0 : 1);
