import { RdbError, hasCode } from "@flaredb/rdb-base";
import type { Command } from "commander";
import type { ClusterFacts, Finding } from "../doctor/facts.ts";
import { type ExitCode, exitCodes } from "../failure.ts";
import { type Paint, painter } from "../output/paint.ts";
import { type Call, type Shell, defineLook } from "../shell.ts";

const HELP = `
One line for each check: ok, warn (it works, and somebody should look) or BAD (something does not work), and what to do.
Exits with 1 when a check is BAD. It only looks: nothing is changed.
`;

/** `rdb doctor` */
export function defineDoctor(parent: Command, shell: Shell): void {
  const command = parent
    .command("doctor")
    .description("check a running cluster and say what to do")
    .addHelpText("after", HELP);
  defineLook(command, shell, runDoctor);
}

async function runDoctor(call: Call<unknown>): Promise<ExitCode> {
  const findings = await examine(call);
  const isHealthy = findings.every(({ level }) => level !== "bad");
  const paint = painter(call.io.colors);
  const text = (): string => findings.map((finding) => renderFinding(finding, paint)).join("");
  await call.print({ healthy: isHealthy, findings }, text);
  return isHealthy ? exitCodes.done : exitCodes.failed;
}

async function examine({ globals }: Call<unknown>): Promise<Finding[]> {
  const { gatherFacts } = await import("../doctor/gather-facts.ts");
  let facts: ClusterFacts;
  try {
    facts = await gatherFacts(globals);
  } catch (error) {
    if (!hasCode(error, "RDB_PD_UNAVAILABLE")) {
      throw RdbError.from(error);
    }
    // Nobody else knows what there is to check.
    const advice = "start PD, or most of its members; --pd names another address";
    return [{ check: "pd", level: "bad", message: error.message, advice }];
  }
  const processes = await import("../doctor/check-processes.ts");
  const regions = await import("../doctor/check-regions.ts");
  const checks = [
    processes.checkPd,
    processes.checkStores,
    regions.checkLeaders,
    regions.checkPeers,
    regions.checkLag,
    regions.checkCoverage,
    processes.checkDisks,
    processes.checkVersions,
    processes.checkReachable,
    processes.checkClocks,
  ];
  return checks.map((check) => check(facts));
}

const CHECK_COLUMNS = 9;

const styles = { ok: "good", warn: "warn", bad: "bad" } as const;

function renderFinding({ level, check, message, advice }: Finding, paint: Paint): string {
  const mark = paint(level === "bad" ? "BAD " : level.padEnd(4), styles[level]);
  return `${mark}  ${check.padEnd(CHECK_COLUMNS)}  ${message}${advice === undefined ? "" : `. ${advice}`}\n`;
}
