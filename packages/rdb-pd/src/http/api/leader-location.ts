import { isEveryAddress } from "@flaredb/rdb-process";
import { formatAddress, parseAddress } from "@flaredb/rdb-wire";
import type { RunningGroup } from "../../run-pd.ts";
import type { Problem } from "./problem.ts";

/** The member that leads, and is another one than this; undefined while none is known, or none whose HTTP is. */
export function leaderOf(group: RunningGroup): Problem["leader"] {
  const { leaderMemberId, memberId } = group;
  const leader = group.members().find(({ id }) => id === leaderMemberId);
  return leader === undefined || leaderMemberId === memberId || leader.httpAddress === ""
    ? undefined
    : {
        memberId: leaderMemberId,
        address: leader.address,
        httpAddress: reachable(leader.httpAddress, leader.address),
      };
}

/**
 * Where a process's HTTP endpoint is reached: one that listens on every address says so, and is where its RPC is.
 *
 * @param address of its RPC endpoint
 */
export function reachable(httpAddress: string, address: string): string {
  const { host, port } = parseAddress(httpAddress);
  return isEveryAddress(host) ? formatAddress(parseAddress(address).host, port) : httpAddress;
}
