import {
  FULL_RANGE,
  type Index,
  type KeyRange,
  type RegionId,
  compareKeys,
  epochsEqual,
  formatKey,
  formatRange,
  keyInRange,
  rangesOverlap,
} from "@flaredb/rdb-base";
import type { RunningStore } from "@flaredb/rdb-server";
import {
  type Column,
  type MemoryRawEngine,
  type Row,
  indexedKey,
  regionKeyRange,
} from "@flaredb/rdb-storage";
import { tilingProblem } from "../check/region-atlas.ts";
import type { Violation } from "../check/violation.ts";
import { newestRegions, peersOf } from "../cluster/region-view.ts";
import type { Member } from "../cluster/sim-cluster.ts";

type RegionStatus = ReturnType<RunningStore["store"]["regionStatuses"]>[number];

/** A peer of a Region, on its Store. */
interface PeerView {
  readonly store: string;
  readonly status: RegionStatus;
  readonly disk: MemoryRawEngine;
}

const PAGE_COUNT = 1_000;

/**
 * Whether each Region has one leader, and each of its peers has applied and written everything that is in the log.
 *
 * @param voterCount with it, every Region has just so many peers, and all of them vote
 */
export function isLevel(stores: readonly Member<RunningStore>[], voterCount?: number): boolean {
  const isWritten = stores.every(({ process }) => process.running?.store.health().unwrittenBytes === 0);
  return isWritten && [...peersByRegion(stores).values()].every((peers) => areLevel(peers, voterCount));
}

function areLevel(peers: readonly PeerView[], voterCount: number | undefined): boolean {
  const { region, lastIndex: last } = (peers[0] as PeerView).status;
  const isWhole =
    voterCount === undefined ||
    (region.peers.length === voterCount && region.peers.every(({ role }) => role === "Voter"));
  return (
    isWhole &&
    peers.length === region.peers.length &&
    peers.filter(({ status }) => status.isLeader).length === 1 &&
    peers.every(
      ({ status }) =>
        epochsEqual(status.region.epoch, region.epoch) &&
        status.appliedIndex === last &&
        status.lastIndex === last,
    )
  );
}

/** The peers of the first Region that is not level, as people read them. */
export function describeUnlevel(stores: readonly Member<RunningStore>[], voterCount?: number): string {
  const unlevel = [...peersByRegion(stores).values()].find((peers) => !areLevel(peers, voterCount)) ?? [];
  const lines = unlevel.map(({ store, status }) => {
    const { region, peerId, isLeader, term, appliedIndex, lastIndex } = status;
    const peers = region.peers.map(({ id, storeId, role }) => `${id}@${storeId} ${role}`).join(", ");
    const epoch = `${region.epoch.confVer}/${region.epoch.version}`;
    return `  Region ${region.id} ${formatRange(region)} ${epoch} on ${store}: peer ${peerId} ${isLeader ? "leads" : "follows"} in term ${term}, applied ${appliedIndex} of ${lastIndex}; ${peers}`;
  });
  return lines.join("\n");
}

/** What all peers look like, in one text: as long as it stays the same, nothing has moved. */
export function standing(stores: readonly Member<RunningStore>[]): string {
  const peers = [...peersByRegion(stores).values()].flat();
  return peers
    .map(({ store, status }) => `${store} ${status.peerId} ${status.term} ${status.appliedIndex}`)
    .join(", ");
}

/** What differs between the peers of a Region that are level: rows, remembered answers, revisions, log entries. */
export async function comparePeers(stores: readonly Member<RunningStore>[]): Promise<Violation[]> {
  const violations = [...tilingViolations(stores), ...(await strayRows(stores))];
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

/** All Regions together tile the key space, and no Store has two that share a key. */
function tilingViolations(stores: readonly Member<RunningStore>[]): Violation[] {
  const name = "Regions tile the key space";
  const problem = tilingProblem(newestRegions(stores));
  const violations: Violation[] = problem === undefined ? [] : [{ name, message: problem }];
  for (const store of stores) {
    const regions = peersOf([store]).map(({ status }) => status.region);
    const pairs = regions.flatMap((a, place) => regions.slice(place + 1).map((b) => [a, b] as const));
    for (const [a, b] of pairs.filter((pair) => rangesOverlap(...pair))) {
      const message = `on ${store.name} Region ${a.id} ${formatRange(a)} overlaps Region ${b.id} ${formatRange(b)}`;
      violations.push({ name, message });
    }
  }
  return violations;
}

/** Removed peers leave nothing: each row on a disk belongs to a Region that has a peer there. */
async function strayRows(stores: readonly Member<RunningStore>[]): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const store of stores) {
    const regions = peersOf([store]).map(({ status }) => status.region);
    for (const column of ["data", "session", "raft_log"] as const) {
      const ranges = regions.map((region) => (column === "data" ? region : regionKeyRange(region.id)));
      const keys = store.disk === undefined ? [] : await keysOf(store.disk.content, column);
      const stray = keys.find((key) => !ranges.some((range) => keyInRange(key, range)));
      if (stray !== undefined) {
        const message = `${store.name} has a row of ${column} that belongs to none of its Regions: "${formatKey(stray)}"`;
        violations.push({ name: "removed peers leave nothing", message });
      }
    }
  }
  return violations;
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
  return (await allRows(disk, column, range)).map(({ key, value }) => `${hex(key)}=${hex(value)}`);
}

async function keysOf(disk: MemoryRawEngine, column: Column): Promise<Uint8Array[]> {
  return (await allRows(disk, column, FULL_RANGE)).map(({ key }) => key);
}

async function allRows(disk: MemoryRawEngine, column: Column, range: KeyRange): Promise<Row[]> {
  const rows: Row[] = [];
  const iterator = disk.openIterator(column, range, {});
  for (let done = false; !done; ) {
    const page = await iterator.next(PAGE_COUNT);
    rows.push(...page.rows);
    done = page.done;
  }
  iterator.close();
  return rows;
}

function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "missing" : Buffer.from(bytes).toString("hex");
}
