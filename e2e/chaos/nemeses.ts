import type { Nemesis } from "./nemesis.ts";
import { CutAllApart } from "./nemesis/cut-all-apart.ts";
import { CutOffClient } from "./nemesis/cut-off-client.ts";
import { CutOffFollower } from "./nemesis/cut-off-follower.ts";
import { CutOffLeader } from "./nemesis/cut-off-leader.ts";
import { CutOffPd } from "./nemesis/cut-off-pd.ts";
import { CutOneWay } from "./nemesis/cut-one-way.ts";
import { CutRing } from "./nemesis/cut-ring.ts";
import { FillDisk } from "./nemesis/fill-disk.ts";
import { FillPdDisk } from "./nemesis/fill-pd-disk.ts";
import { FlakyNetwork } from "./nemesis/flaky-network.ts";
import { FlipBit } from "./nemesis/flip-bit.ts";
import { FlipSnapshot } from "./nemesis/flip-snapshot.ts";
import { FreezeLeader } from "./nemesis/freeze-leader.ts";
import { JumpClock } from "./nemesis/jump-clock.ts";
import { KillAll } from "./nemesis/kill-all.ts";
import { KillAllPd } from "./nemesis/kill-all-pd.ts";
import { KillFollower } from "./nemesis/kill-follower.ts";
import { KillLeader } from "./nemesis/kill-leader.ts";
import { KillMajority } from "./nemesis/kill-majority.ts";
import { KillPdFollower } from "./nemesis/kill-pd-follower.ts";
import { KillPdLeader } from "./nemesis/kill-pd-leader.ts";
import { LoseMessages } from "./nemesis/lose-messages.ts";
import { LosePdMessages } from "./nemesis/lose-pd-messages.ts";
import { LosePackets } from "./nemesis/lose-packets.ts";
import { LowDisk } from "./nemesis/low-disk.ts";
import { LosePower } from "./nemesis/lose-power.ts";
import { ReplaceStore } from "./nemesis/replace-store.ts";
import { SlowDisk } from "./nemesis/slow-disk.ts";
import { SlowPdDisk } from "./nemesis/slow-pd-disk.ts";
import { SlowNetwork } from "./nemesis/slow-network.ts";

/** All that a run can do to a cluster. */
export const nemeses: readonly Nemesis[] = [
  new KillLeader(),
  new KillFollower(),
  new KillMajority(),
  new KillAll(),
  new LosePower(),
  new KillPdFollower(),
  new KillPdLeader(),
  new KillAllPd(),
  new FreezeLeader(),
  new CutOffLeader(),
  new CutOffFollower(),
  new CutAllApart(),
  new CutRing(),
  new CutOneWay(),
  new CutOffPd(),
  new CutOffClient(),
  new SlowNetwork(),
  new FlakyNetwork(),
  new LosePackets(),
  new LoseMessages(),
  new JumpClock(),
  new SlowDisk(),
  new FillDisk(),
  new LowDisk(),
  new FlipBit(),
  new FlipSnapshot(),
  new ReplaceStore(),
  new SlowPdDisk(),
  new FillPdDisk(),
  new LosePdMessages(),
];

/** Those that need a disk of their own for a Store, or a member of PD. */
export const diskFillers: ReadonlySet<string> = new Set(["fill-disk", "low-disk", "fill-pd-disk"]);
