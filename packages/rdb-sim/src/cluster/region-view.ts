import { type Region, type RegionId, keyInRange } from "@flaredb/rdb-base";
import type { RunningStore } from "@flaredb/rdb-server";

type Status = ReturnType<RunningStore["store"]["regionStatuses"]>[number];

/** Where Stores are looked into. */
interface Watched {
  readonly process: { readonly running: RunningStore | undefined };
}

/** A Region as one of its peers knows it. */
export interface PeerStatus<Member> {
  readonly member: Member;
  readonly status: Status;
}

/** All peers that the running Stores have. */
export function peersOf<Member extends Watched>(members: readonly Member[]): PeerStatus<Member>[] {
  return members.flatMap((member) =>
    (member.process.running?.store.regionStatuses() ?? []).map((status) => ({ member, status })),
  );
}

/** Each Region as the one of its peers knows it that has come furthest, by its keys. */
export function newestRegions(members: readonly Watched[]): Region[] {
  const newest = new Map<RegionId, Region>();
  for (const { status } of peersOf(members)) {
    const known = newest.get(status.region.id);
    if (known === undefined || isNewer(status.region, known)) {
      newest.set(status.region.id, status.region);
    }
  }
  return [...newest.values()].sort((a, b) => Buffer.compare(a.startKey, b.startKey));
}

/** The leader of the Region that has the key, among those who take themselves for it the newest. */
export function leaderOfKey<Member extends Watched>(
  members: readonly Member[],
  key: Uint8Array,
): PeerStatus<Member> | undefined {
  return peersOf(members)
    .filter(({ status }) => status.isLeader && keyInRange(key, status.region))
    .sort((a, b) => versionOf(b) - versionOf(a) || b.status.term - a.status.term)[0];
}

function versionOf({ status }: PeerStatus<unknown>): number {
  return status.region.epoch.version;
}

function isNewer({ epoch: a }: Region, { epoch: b }: Region): boolean {
  return a.version > b.version || (a.version === b.version && a.confVer > b.confVer);
}
