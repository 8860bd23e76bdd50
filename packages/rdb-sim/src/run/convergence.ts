import { type Index, type KeyRange, type RegionId, compareKeys, formatKey } from "@flaredb/rdb-base";
import type { RunningStore } from "@flaredb/rdb-server";
import { type Column, type MemoryRawEngine, indexedKey, regionKeyRange } from "@flaredb/rdb-storage";
import type { Violation } from "../check/violation.ts";
import type { Member } from "../cluster/sim-cluster.ts";

type RegionStatus = ReturnType<RunningStore["store"]["regionStatuses"]>[number];

/** A peer of a Region, on its Store. */
interface PeerView {
  readonly store: string;
  readonly status: RegionStatus;
  readonly disk: MemoryRawEngine;
}

const PAGE_COUNT = 1_000;

/** Whether each Region has one leader, and each of its peers has applied and written everything that is in the log. */
export function isLevel(stores: readonly Member<RunningStore>[]): boolean {
  const isWritten = stores.every(({ process }) => process.running?.store.health().unwrittenBytes === 0);
  return (
    isWritten &&
    [...peersByRegion(stores).values()].every((peers) => {
      const last = peers[0]?.status.lastIndex;
      return (
        peers.length === peers[0]?.status.region.peers.length &&
        peers.filter(({ status }) => status.isLeader).length === 1 &&
        peers.every(({ status }) => status.appliedIndex === last && status.lastIndex === last)
      );
    })
  );
}

/** What differs between the peers of a Region that are level: rows, remembered answers, revisions, log entries. */
export async function comparePeers(stores: readonly Member<RunningStore>[]): Promise<Violation[]> {
  const violations = tilingViolations(stores);
  for (const [id, [first, ...others]] of peersByRegion(stores)) {
    for (const other of first === undefined ? [] : others) {
      const difference = await differenceOf(id, first as PeerView, other);
      if (difference !== undefined) {
        violations.push({
          name: "peers are equal",
          message: `Region ${id} on ${first?.store} and ${other.store}: ${difference}`,
        });
      }
    }
  }
  return violations;
}

async function differenceOf(id: RegionId, a: PeerView, b: PeerView): Promise<string | undefined> {
  if (a.status.revision !== b.status.revision) {
    return `revisions ${a.status.revision} and ${b.status.revision}`;
  }
  const parts: readonly (readonly [Column, KeyRange])[] = [
    ["data", a.status.region],
    ["session", regionKeyRange(id)],
  ];
  for (const [column, range] of parts) {
    const [rowsOfA, rowsOfB] = [await rowsOf(a.disk, column, range), await rowsOf(b.disk, column, range)];
    const place = rowsOfA.findIndex((row, at) => row !== rowsOfB[at]);
    if (place >= 0 || rowsOfA.length !== rowsOfB.length) {
      const at = place >= 0 ? place : rowsOfA.length;
      return `${column} has ${rowsOfA[at] ?? "no more rows"} and ${rowsOfB[at] ?? "no more rows"}`;
    }
  }
  return differentEntry(id, a, b);
}

/** Of the entries that both logs still have. */
function differentEntry(id: RegionId, a: PeerView, b: PeerView): string | undefined {
  const first = Math.max(a.status.firstIndex, b.status.firstIndex);
  const last = Math.min(a.status.lastIndex, b.status.lastIndex);
  for (let index = first; index <= last; index++) {
    const key = indexedKey(id, index as Index);
    const [ofA, ofB] = [a.disk.get("raft_log", key), b.disk.get("raft_log", key)];
    if (ofA === undefined || ofB === undefined || compareKeys(ofA, ofB) !== 0) {
      return `entries at ${index} are ${hex(ofA)} and ${hex(ofB)}`;
    }
  }
  return undefined;
}

/** On each Store, which has a peer of every Region or of some: no two Regions share a key. */
function tilingViolations(stores: readonly Member<RunningStore>[]): Violation[] {
  const regions = [...peersByRegion(stores).values()]
    .map(([peer]) => (peer as PeerView).status.region)
    .sort((a, b) => compareKeys(a.startKey, b.startKey));
  const starts = [...regions.map(({ startKey }) => startKey), new Uint8Array(0)];
  const place = regions.findIndex(
    ({ endKey }, at) => compareKeys(endKey, starts[at + 1] as Uint8Array) !== 0,
  );
  if (starts[0]?.length === 0 && place < 0) {
    return [];
  }
  const found = regions.map(({ startKey, endKey }) => `[${formatKey(startKey)}, ${formatKey(endKey)})`);
  return [{ name: "Regions tile the key space", message: found.join(" ") }];
}

function peersByRegion(stores: readonly Member<RunningStore>[]): Map<RegionId, PeerView[]> {
  const byRegion = new Map<RegionId, PeerView[]>();
  for (const { name, process, disk } of stores) {
    for (const status of process.running?.store.regionStatuses() ?? []) {
      const peers = byRegion.get(status.region.id) ?? [];
      byRegion.set(status.region.id, peers);
      if (disk !== undefined) {
        peers.push({ store: name, status, disk: disk.content });
      }
    }
  }
  return byRegion;
}

async function rowsOf(disk: MemoryRawEngine, column: Column, range: KeyRange): Promise<string[]> {
  const rows: string[] = [];
  const iterator = disk.openIterator(column, range, {});
  for (let done = false; !done; ) {
    const page = await iterator.next(PAGE_COUNT);
    rows.push(...page.rows.map(({ key, value }) => `${hex(key)}=${hex(value)}`));
    done = page.done;
  }
  iterator.close();
  return rows;
}

function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "missing" : Buffer.from(bytes).toString("hex");
}
