import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { Sample } from "./cases.ts";

/** What one run of the baseline measures. */
export interface EtcdRun {
  /** The baseline's script, which starts three members of etcd and loads them. */
  readonly script: string;
  readonly clients: readonly number[];
  readonly ops: readonly string[];
  readonly seconds: number;
}

/** @throws Error that says what to give when there is no such script */
export function checkEtcdScript(script: string): void {
  if (!existsSync(script)) {
    throw new Error(
      `${script} is not there: name the script that measures etcd with --etcd-script or FLAREDB_ETCD_BASELINE, ` +
        "or leave etcd out with --without-etcd",
    );
  }
}

/** Starts etcd, measures each case once, and stops it. */
export async function measureEtcd(run: EtcdRun): Promise<Sample[]> {
  const { script, clients, ops, seconds } = run;
  const args = ["-c", clients.join(" "), "-o", ops.join(" "), "-t", String(Math.max(1, Math.round(seconds)))];
  return parseBaseline(await outputOf(script, args));
}

/** The rows of the baseline's table: op, clients, ops_per_second, p50_ms, p99_ms, separated by tabs. */
export function parseBaseline(text: string): Sample[] {
  return text
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => {
      const [op, ...figures] = line.split("\t");
      const [clients, opsPerSecond, p50Ms, p99Ms] = figures.map(Number);
      if (op === undefined || figures.length !== 4 || !figures.every((figure) => Number(figure) > 0)) {
        throw new Error(`the baseline printed "${line}", which is no row of op, clients, rate, p50 and p99`);
      }
      return {
        layout: "etcd",
        op,
        clients: clients as number,
        opsPerSecond: opsPerSecond as number,
        rowsPerSecond: opsPerSecond as number,
        p50Ms: p50Ms as number,
        p99Ms: p99Ms as number,
        errorCount: 0,
      };
    });
}

async function outputOf(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) {
    throw new Error(`${program} ended with exit code ${code}`);
  }
  return Buffer.concat(chunks).toString();
}
