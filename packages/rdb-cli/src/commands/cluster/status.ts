import { type ClusterProblem, RegionTally, clusterProblems, tellingFigures } from "@flaredb/rdb-base";
import { type GetClusterInfoResponse, StoreState } from "@flaredb/rdb-proto";
import type { Command } from "commander";
import { type ExitCode, exitCodes } from "../../failure.ts";
import { renderFields } from "../../output/table.ts";
import { type Call, type Shell, defineLook } from "../../shell.ts";
import { fetchRegions } from "../region/fetch-regions.ts";

/** `rdb cluster status` */
export function defineClusterStatus(parent: Command, shell: Shell): void {
  const command = parent
    .command("status")
    .description("say in a few lines how the cluster is; exits with 1 unless all is well");
  defineLook(command, shell, showStatus);
}

async function showStatus(call: Call<unknown>): Promise<ExitCode> {
  const { callPd } = await import("../../pd-caller.ts");
  const info = await callPd(call.globals, (pd, options) => pd.getClusterInfo({}, options));
  const { statuses } = await callPd(call.globals, (pd, options) => pd.listStores({}, options));
  const stores = statuses.filter(({ store }) => store?.state !== StoreState.TOMBSTONE);
  const tally = new RegionTally();
  tally.add(info.bootstrapped ? await fetchRegions(call.globals) : []);
  const telling = tellingFigures(info.members, info.leaderMemberId, stores);
  const findings = clusterProblems({ ...info, ...tally.figures, ...telling });
  await call.print(statusDocument(info, findings), () => renderStatus(info, findings));
  return findings.length === 0 ? exitCodes.done : exitCodes.failed;
}

function statusDocument(
  info: GetClusterInfoResponse,
  findings: readonly ClusterProblem[],
): Record<string, unknown> {
  return {
    clusterId: String(info.clusterId),
    healthy: findings.length === 0,
    problems: findings.map(({ message }) => message),
    findings,
    bootstrapped: info.bootstrapped,
    bootstrapStoreCount: info.bootstrapStoreCount,
    registeredStoreCount: info.registeredStoreCount,
    upStoreCount: info.upStoreCount,
    regionCount: info.regionCount,
    regionWithLeaderCount: info.regionWithLeaderCount,
    programVersion: info.programVersion,
    clusterVersion: info.clusterVersion,
    newestClusterVersion: info.newestClusterVersion,
    clusterVersionWaitsFor: info.clusterVersionWaitsFor,
    members: info.members.map(({ id, name, address, httpAddress }) => ({
      id,
      name,
      address,
      httpAddress,
      isLeader: id === info.leaderMemberId,
    })),
  };
}

function renderStatus(info: GetClusterInfoResponse, findings: readonly ClusterProblem[]): string {
  const members = info.members.map((member) => {
    const role = member.id === info.leaderMemberId ? " (leader)" : "";
    return `${member.address}${role}`;
  });
  return renderFields([
    ["cluster", String(info.clusterId)],
    ["health", findings.length === 0 ? "all is well" : findings.map(({ message }) => message).join("; ")],
    ...findings.map(({ advice }, at) => [at === 0 ? "what to do" : "", advice] as const),
    ["pd", members.join(", ")],
    ["stores", `${info.upStoreCount} up of ${info.registeredStoreCount}`],
    ["regions", `${info.regionWithLeaderCount} with a leader of ${info.regionCount}`],
    ["version", `${info.programVersion}, cluster version ${renderClusterVersion(info)}`],
  ]).replaceAll(/^:/gm, " ");
}

/** While it can rise: to which, and what it waits for. */
function renderClusterVersion(info: GetClusterInfoResponse): string {
  const { clusterVersion, newestClusterVersion, clusterVersionWaitsFor } = info;
  if (clusterVersion === 0) {
    return "unknown to this placement driver";
  }
  return clusterVersion >= newestClusterVersion
    ? String(clusterVersion)
    : `${clusterVersion}; for ${newestClusterVersion} it waits: ${clusterVersionWaitsFor.join("; ")}`;
}
