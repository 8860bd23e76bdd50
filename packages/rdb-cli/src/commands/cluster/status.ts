import type { GetClusterInfoResponse, RegionRoute } from "@flaredb/rdb-proto";
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
  const routes = info.bootstrapped ? await fetchRegions(call.globals) : [];
  const problems = problemsOf(info, routes);
  await call.print(statusDocument(info, problems), () => renderStatus(info, problems));
  return problems.length === 0 ? exitCodes.done : exitCodes.failed;
}

function problemsOf(info: GetClusterInfoResponse, routes: readonly RegionRoute[]): string[] {
  if (!info.bootstrapped) {
    return [
      `waiting for Stores: ${info.registeredStoreCount} of ${info.bootstrapStoreCount} have registered`,
    ];
  }
  const missingStores = info.registeredStoreCount - info.upStoreCount;
  const leaderless = info.regionCount - info.regionWithLeaderCount;
  // Also where every Store answers: a Store that is gone for good counts no more, its peers do.
  const lackingPeers = routes.filter((route) => route.downPeerIds.length > 0).length;
  return [
    ...(missingStores > 0 ? [`${missingStores} of ${info.registeredStoreCount} Stores do not answer`] : []),
    ...(leaderless > 0 ? [`${leaderless} of ${info.regionCount} Regions have no leader`] : []),
    ...(lackingPeers > 0
      ? [`${lackingPeers} of ${info.regionCount} Regions have peers that are down: see rdb region list`]
      : []),
  ];
}

function statusDocument(info: GetClusterInfoResponse, problems: readonly string[]): Record<string, unknown> {
  return {
    clusterId: String(info.clusterId),
    healthy: problems.length === 0,
    problems,
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

function renderStatus(info: GetClusterInfoResponse, problems: readonly string[]): string {
  const members = info.members.map((member) => {
    const role = member.id === info.leaderMemberId ? " (leader)" : "";
    return `${member.address}${role}`;
  });
  return renderFields([
    ["cluster", String(info.clusterId)],
    ["health", problems.length === 0 ? "all is well" : problems.join("; ")],
    ["pd", members.join(", ")],
    ["stores", `${info.upStoreCount} up of ${info.registeredStoreCount}`],
    ["regions", `${info.regionWithLeaderCount} with a leader of ${info.regionCount}`],
    ["version", `${info.programVersion}, cluster version ${renderClusterVersion(info)}`],
  ]);
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
