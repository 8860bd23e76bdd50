// What small pieces of a write's and a read's path cost by themselves: time and memory for one put, get or entry.
// Run: node --max-semi-space-size=64 packages/rdb-server/bench/micro.ts [--only WORD] [--json]
import { parseArgs } from "node:util";
import { microCases } from "./micro/all-cases.ts";
import { measureCase } from "./micro/measure-case.ts";

const { values: flags } = parseArgs({
  options: { only: { type: "string", default: "" }, json: { type: "boolean", default: false } },
});
const chosen = microCases.filter(({ name }) => name.toLowerCase().includes(flags.only.toLowerCase()));
if (chosen.length === 0) {
  const names = microCases.map(({ name }) => name).join("; ");
  throw new Error(`--only ${flags.only} must be part of one of: ${names}`);
}
const nameWidth = Math.max(...chosen.map(({ name }) => name.length));
const row = (...cells: string[]): void => {
  const [name = "", ...others] = cells;
  process.stdout.write(`${name.padEnd(nameWidth)}${others.map((cell) => cell.padStart(12)).join("")}\n`);
};
if (!flags.json) {
  row("for one operation", "p50", "p99", "allocated");
}
for (const each of chosen) {
  const figures = await measureCase(each);
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(figures)}\n`);
  } else {
    const [p50, p99] = [figures.p50Ns, figures.p99Ns].map((ns) => `${(ns / 1_000).toFixed(2)} µs`);
    row(each.name, p50 as string, p99 as string, `${Math.round(figures.bytes)} B`);
  }
}
