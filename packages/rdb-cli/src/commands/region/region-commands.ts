import type { Command } from "commander";
import type { Shell } from "../../shell.ts";
import { defineRegionAddPeer } from "./add-peer.ts";
import { defineRegionCheck } from "./check.ts";
import { defineRegionCoverage } from "./coverage.ts";
import { defineRegionHot } from "./hot.ts";
import { defineRegionKey } from "./key.ts";
import { defineRegionList } from "./list.ts";
import { defineRegionMerge } from "./merge.ts";
import { defineRegionMove } from "./move.ts";
import { defineRegionPeers } from "./peers.ts";
import { defineRegionRemovePeer } from "./remove-peer.ts";
import { defineRegionScatter } from "./scatter.ts";
import { defineRegionShow } from "./show.ts";
import { defineRegionSiblings } from "./siblings.ts";
import { defineRegionSplit } from "./split.ts";
import { defineRegionTransferLeader } from "./transfer-leader.ts";

/** `rdb region …` */
export function defineRegion(parent: Command, shell: Shell): void {
  const region = parent
    .command("region")
    .description("list, show, key, hot …; split, merge, move, scatter, check …: Regions and where they are");
  region.commandsGroup("Looking:");
  defineRegionList(region, shell);
  defineRegionShow(region, shell);
  defineRegionPeers(region, shell);
  defineRegionKey(region, shell);
  defineRegionSiblings(region, shell);
  defineRegionHot(region, shell);
  defineRegionCoverage(region, shell);
  region.commandsGroup("Changing (each waits for its end):");
  defineRegionSplit(region, shell);
  defineRegionMerge(region, shell);
  defineRegionMove(region, shell);
  defineRegionAddPeer(region, shell);
  defineRegionRemovePeer(region, shell);
  defineRegionTransferLeader(region, shell);
  defineRegionScatter(region, shell);
  defineRegionCheck(region, shell);
}
