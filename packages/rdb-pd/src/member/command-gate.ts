import { RdbError } from "@flaredb/rdb-base";
import { pdCommandVersions } from "@flaredb/rdb-proto";
import { commandCase } from "../command/command-codec.ts";
import type { PdCommand } from "../command/command.ts";

/**
 * Why PD's log does not take the command yet: a member whose program does not know it would end at it. What raises the
 * version itself goes by what all have said (`ClusterVersionKeeper`).
 */
export function versionRefusal(command: PdCommand, clusterVersion: number): RdbError | undefined {
  const needed = command.kind === "SetClusterVersion" ? 0 : pdCommandVersions[commandCase(command)];
  return needed <= clusterVersion
    ? undefined
    : new RdbError(
        "RDB_CLUSTER_VERSION",
        `${command.kind} needs cluster version ${needed}, the cluster has ${clusterVersion}: finish the upgrade of all Stores and members of PD`,
        { details: { needed, clusterVersion } },
      );
}
