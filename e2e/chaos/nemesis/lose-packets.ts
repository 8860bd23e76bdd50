import { execFileSync } from "node:child_process";
import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";

const PERCENT_MAX = 3;
/** Ports that one rule of the kernel's filter takes. */
const PORTS_MAX_COUNT = 15;

/**
 * Up to 3 % of the packets to and from every process are dropped by the kernel, at random: TCP sends them again, 200 ms
 * later at the soonest, and all that came after them waits. Needs a network of its own.
 */
export class LosePackets implements Nemesis {
  readonly name = "lose-packets";
  readonly lastsMs = { min: 5_000, max: 15_000 };
  readonly majorityStays = true;
  readonly means = "packets";
  readonly isMild = true;

  begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const percent = 1 + random.nextInt(PERCENT_MAX);
    // The ways to the proxies alone: behind them is the same way once more.
    const ports = cluster.processes.map(({ address }) => address.slice(address.lastIndexOf(":") + 1));
    const rules = Array.from({ length: Math.ceil(ports.length / PORTS_MAX_COUNT) }, (_, at) => [
      ...["INPUT", "-p", "tcp", "-m", "multiport", "--ports"],
      ports.slice(at * PORTS_MAX_COUNT, (at + 1) * PORTS_MAX_COUNT).join(),
      ...["-m", "statistic", "--mode", "random", "--probability", String(percent / 100), "-j", "DROP"],
    ]);
    for (const rule of rules) {
      filter("--append", ...rule);
    }
    let packets = 0;
    return Promise.resolve({
      text: `${percent} % of all packets vanish`,
      end: () => {
        packets = droppedCount();
        for (const rule of rules) {
          filter("--delete", ...rule);
        }
        return Promise.resolve();
      },
      outcome: () => `${packets.toLocaleString("en")} packets lost`,
    });
  }
}

/** What all rules dropped since they were made. */
function droppedCount(): number {
  const lines = filter("--list", "INPUT", "--verbose", "--exact", "--numeric").split("\n");
  return lines
    .filter((line) => / DROP /.test(line))
    .reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[0]), 0);
}

function filter(...args: string[]): string {
  return execFileSync("iptables", ["--wait", ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}
