import type { Nemesis } from "./nemesis.ts";
import { KillLeader } from "./nemesis/kill-leader.ts";

/** All that a run can do to a cluster. */
export const nemeses: readonly Nemesis[] = [new KillLeader()];
