import type { Random } from "@flaredb/rdb-base";
import type { LinkRule } from "../tcp-proxy.ts";
import type { ChaosCluster } from "./chaos-cluster.ts";
import { type Fault, pick } from "./nemesis.ts";

/** Connections are reset, or everything on them vanishes without a word. */
export function drawCut(random: Random): LinkRule & string {
  return pick(["cut", "blackhole"] as const, random);
}

/** The end of every fault of the network. */
export function healing(cluster: ChaosCluster, text: string): Fault {
  return { text, end: () => Promise.resolve(cluster.network.heal()) };
}
