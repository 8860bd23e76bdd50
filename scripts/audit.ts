// `npm run audit`: the dependencies of the lockfile against what the registry knows of them. Exit code 0: nothing but
// what scripts/audit-exceptions.json names; 1: an advisory; 3: the registry offers no audits, so nothing was checked.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { judgeAudit, parseAudit } from "./audit-report.ts";

const PNPM = "pnpm@12.21.0";
const NOT_OFFERED = 3;

const { exceptions } = JSON.parse(
  readFileSync(new URL("audit-exceptions.json", import.meta.url), "utf8"),
) as Parameters<typeof judgeAudit>[1];
const { stdout, stderr } = spawnSync("npx", ["-y", PNPM, "audit", "--json"], {
  encoding: "utf8",
  timeout: 120_000,
});
const report = parseAudit(stdout);
if (report === undefined) {
  console.error("the registry does not offer audits: nothing was checked");
  console.error(`${stdout}${stderr}`.trim().split("\n").slice(-3).join("\n"));
  process.exit(NOT_OFFERED);
}
const today = new Date().toISOString().slice(0, 10);
const { findings, passedOver } = judgeAudit(report, { exceptions }, today);
passedOver.forEach((line) => console.log(`passed over: ${line}`));
findings.forEach((line) => console.error(`FOUND  ${line}`));
console.log(findings.length === 0 ? "no advisory counts" : `${findings.length} advisories`);
process.exit(findings.length === 0 ? 0 : 1);
