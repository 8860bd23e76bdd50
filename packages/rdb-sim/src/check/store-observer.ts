import {
  type KeyRange,
  type PeerId,
  type RegionId,
  type StoreId,
  formatRange,
  peerOnStore,
  rangesOverlap,
} from "@flaredb/rdb-base";
import {
  type Column,
  type Row,
  type WriteOp,
  type WritePart,
  columns,
  regionKeyRange,
} from "@flaredb/rdb-storage";
import { type DecodedOp, decodeOp } from "@flaredb/rdb-storage/testing";
import { newerEntry } from "./gated-entries.ts";
import { appended, hashOf } from "./hash.ts";
import { type LogChanges, takeLogChanges } from "./log-changes.ts";
import { lostSince } from "./lost-since.ts";
import type { PeerLives } from "./peer-lives.ts";
import { PeerRecord } from "./peer-record.ts";
import type { Departure, RegionAtlas, RegionStep } from "./region-atlas.ts";
import type { RegionRecord, Report } from "./region-record.ts";
import { type ContentColumn, StoreContent } from "./store-content.ts";

/** What lies on a Store's disk. */
export interface DiskContent {
  rows(column: Column): Iterable<Row>;
}

/** Handed back when a step has been written. */
export type StepToken = object;

export interface StoreObserverOptions {
  /** For people. */
  readonly name: string;
  readonly report: Report;
  readonly regionOf: (id: RegionId) => RegionRecord;
  /** The newest cluster version that the programs of all Stores know. */
  readonly knownVersion: () => number;
  /** What all Stores made of Regions, and of peers. */
  readonly atlas: RegionAtlas;
  readonly lives: PeerLives;
}

/**
 * Watches the stream of one Store's database from outside, through all of its starts, and holds it against what all
 * Stores have promised: entries and votes, what is committed and applied, rows and ranges.
 *
 * `opened` at each start, before anything is submitted; `submitted` and `deletedRange` with each step; `written` when
 * the engine says that a step is on the disk, before whoever submitted it hears of that.
 */
export class StoreObserver {
  readonly #name: string;
  readonly #report: Report;
  readonly #regionOf: (id: RegionId) => RegionRecord;
  readonly #knownVersion: () => number;
  readonly #atlas: RegionAtlas;
  readonly #lives: PeerLives;
  #storeId: StoreId | undefined;
  #peers = new Map<RegionId, PeerRecord>();
  #content = new StoreContent();
  /** Their peers are being destroyed: whatever they write goes with the rest. */
  readonly #leaving = new Set<RegionId>();
  /** Submitted and not known to be durable, oldest first. */
  #pending: LogChanges[] = [];

  constructor({ name, report, regionOf, knownVersion, atlas, lives }: StoreObserverOptions) {
    this.#knownVersion = knownVersion;
    this.#atlas = atlas;
    this.#lives = lives;
    this.#name = name;
    this.#report = report;
    this.#regionOf = regionOf;
  }

  /** Regions that this Store has peers of. */
  get peers(): ReadonlyMap<RegionId, PeerRecord> {
    return this.#peers;
  }

  /** A process begins to use the disk; the one before it, if any, is gone. All that lies there is durable. */
  opened(disk: DiskContent): void {
    const before = this.#peers;
    const pending = this.#pending;
    this.#peers = new Map();
    this.#content = new StoreContent();
    this.#leaving.clear();
    this.#pending = [];
    const ops = columns.flatMap((column) =>
      [...disk.rows(column)].map((row): WriteOp => ({ column, ...row })),
    );
    const decoded = ops.map(decodeOp);
    this.#takeMeta(decoded);
    // Of a peer that was being destroyed some of it may be left.
    const gone = removedIn(decoded);
    const isKept = (op: DecodedOp): boolean =>
      op.kind === "localState" || !("regionId" in op) || !gone.has(op.regionId);
    const keptOps = ops.filter((_, place) => isKept(decoded[place] as DecodedOp));
    this.#takeRegions(decoded.filter(isKept), keptOps);
    for (const old of before.values()) {
      const touched = pending.flatMap(({ entries }) => entries.filter(({ peer }) => peer === old));
      for (const text of lostSince(old, this.#peers.get(old.regionId), touched)) {
        this.#tell("what is durable stays", old, text);
      }
    }
    for (const peer of this.#peers.values()) {
      this.#restoreMark(peer);
      peer.checkCommitted(0);
    }
  }

  /** The disk was replaced by an empty one: nothing that was durable there counts any more. */
  wiped(): void {
    this.#lives.wiped(this.#name);
    this.#peers = new Map();
    this.#pending = [];
    this.#storeId = undefined;
  }

  /** A part is submitted. @returns what `written` wants */
  submitted(part: WritePart): StepToken {
    const decoded = part.ops.map(decodeOp);
    this.#takeMeta(decoded);
    const newer = newerEntry(decoded, this.#knownVersion());
    if (newer !== undefined) {
      this.#report("newer commands wait for the cluster", `${this.#name}: ${newer}`);
    }
    for (const op of decoded) {
      if (op.kind === "mergeRecord") {
        this.#regionOf(op.regionId).isBeingTaken = op.isThere;
      }
    }
    // Entries and HardStates first: everything else refers to them.
    const gone = removedIn(decoded);
    const isKept = (op: DecodedOp): boolean =>
      !("regionId" in op) || (!gone.has(op.regionId) && !this.#leaving.has(op.regionId));
    const kept = decoded.filter(isKept);
    const keptOps = part.ops.filter((_, place) => isKept(decoded[place] as DecodedOp));
    const removed = [...gone].flatMap((id) => this.#peers.get(id)?.peerId ?? []);
    const step = { ...takeLogChanges(kept, keptOps, (id) => this.#peer(id)), removed };
    this.#takeStates(decoded, part.ops);
    this.#pending.push(step);
    return step;
  }

  /** A range is deleted: a step of its own. */
  deletedRange(column: Column, range: KeyRange): StepToken {
    if (column === "data" || column === "session") {
      this.#content.deleteRange(column, range);
      for (const peer of this.#peers.values()) {
        const own = column === "data" ? peer.localState?.region : regionKeyRange(peer.regionId);
        if (own !== undefined && peer.localState?.state === "Normal" && rangesOverlap(own, range)) {
          peer.operations = appended(peer.operations, hashOf(range.startKey, range.endKey));
          peer.region.sawRangeDeleted(peer.applied?.index, this.#content.hashOf(peer.regionId));
        }
      }
    }
    const step: LogChanges = { entries: [], hardStates: [] };
    this.#pending.push(step);
    return step;
  }

  /**
   * The step is in the database.
   *
   * @param isSynced the step asked for sync: it is durable, with every one before it
   */
  written(token: StepToken, isSynced: boolean): void {
    const place = this.#pending.indexOf(token as LogChanges);
    if (!isSynced || place < 0) {
      return;
    }
    for (const { entries, hardStates, removed } of this.#pending.splice(0, place + 1)) {
      removed?.forEach((id) => this.#lives.removed(id, this.#name));
      for (const { peer, index, entry } of entries) {
        peer.becameDurable(index, entry);
      }
      for (const { peer, state } of hardStates) {
        peer.hardStateBecameDurable(state);
      }
    }
  }

  // A start.

  #takeMeta(decoded: readonly DecodedOp[]): void {
    for (const op of decoded) {
      if (op.kind === "ident" && op.value?.kind === "Store") {
        this.#storeId = op.value.storeId;
      }
    }
  }

  #takeRegions(decoded: readonly DecodedOp[], ops: readonly WriteOp[]): void {
    for (const op of decoded) {
      if (op.kind === "localState" && op.value !== undefined) {
        this.#setLocalState(op.regionId, op.value);
        this.#checkOverlap(op.regionId);
      } else if (op.kind === "truncated" && op.value !== undefined) {
        this.#peer(op.regionId).truncated = op.value;
      } else if (op.kind === "confState") {
        this.#peer(op.regionId).confState = op.value;
      }
    }
    for (const [place, op] of decoded.entries()) {
      const { column, key, value } = ops[place] as WriteOp;
      if (op.kind === "entry" && op.value !== undefined) {
        const entry = { term: op.value.term, hash: hashOf(value as Uint8Array) };
        const peer = this.#peer(op.regionId);
        peer.putEntry(op.index, entry);
        peer.becameDurable(op.index, entry);
      } else if (op.kind === "hardState" && op.value !== undefined) {
        const peer = this.#peer(op.regionId);
        peer.hardState = op.value;
        peer.durableHardState = op.value;
      } else if (op.kind === "applyState") {
        this.#peer(op.regionId).applied = op.value;
      } else if (column === "data" || column === "session") {
        this.#content.write(column, key, value);
      }
    }
  }

  /** The way to where it stands is what it was when a peer stood there first. */
  #restoreMark(peer: PeerRecord): void {
    const { applied, localState } = peer;
    const mark = applied && peer.region.markAt(applied.index);
    if (applied === undefined || localState === undefined) {
      return;
    }
    if (mark === undefined) {
      const text = `${applied.index} is applied on its disk, and nobody ever applied it`;
      this.#tell("same applied index, same state", peer, text);
      return;
    }
    peer.operations = mark.operations;
    if (localState.state === "Normal") {
      this.#checkFound(peer);
    }
  }

  // A step.

  /** All Regions of the part first: together they are what it leaves; then rows, and how far they are applied. */
  #takeStates(decoded: readonly DecodedOp[], ops: readonly WriteOp[]): void {
    const applied = new Map<RegionId, PeerRecord["applied"]>();
    this.#peers.forEach((peer, id) => applied.set(id, peer.applied));
    const departures = this.#departures(decoded);
    const steps = this.#takeLocalStates(decoded);
    for (const [place, op] of decoded.entries()) {
      const { column, key, value } = ops[place] as WriteOp;
      if (op.kind !== "localState" && (column === "data" || column === "session")) {
        this.#takeRow(column, key, value);
      }
    }
    for (const op of decoded) {
      if (op.kind === "applyState" && op.value !== undefined && !this.#leaving.has(op.regionId)) {
        this.#takeApplyState(op.regionId, op.value);
      }
    }
    this.#takeConfStates(decoded);
    this.#atlas.sawPart(this.#name, steps, {
      applied: (id) => applied.get(id),
      memory: (id) => this.#content.sessionEntries(id),
    });
    departures.forEach((departure) => this.#atlas.sawDeparture(this.#name, departure));
  }

  /** Peers that are here before the part, and that it destroys. */
  #departures(decoded: readonly DecodedOp[]): Departure[] {
    return [...removedIn(decoded)].flatMap((id) => {
      const peerId = this.#peers.get(id)?.peerId;
      const last = decoded.findLast((op) => op.kind === "localState" && op.regionId === id);
      const region = last?.kind === "localState" ? last.value?.region : undefined;
      return peerId === undefined || region === undefined ? [] : [{ peerId, region }];
    });
  }

  #takeLocalStates(decoded: readonly DecodedOp[]): RegionStep[] {
    const steps: RegionStep[] = [];
    const changed: RegionId[] = [];
    for (const op of decoded) {
      if (op.kind !== "localState" || op.value === undefined) {
        continue;
      }
      const { state, region } = op.value;
      const peer = this.#peers.get(op.regionId);
      const before = peer?.localState?.state === "Normal" ? peer.localState.region : undefined;
      this.#setLocalState(op.regionId, op.value);
      changed.push(op.regionId);
      if (state === "Normal") {
        steps.push({
          before,
          applied: peer?.applied,
          after: region,
          appliedAfter: appliedIn(decoded, op.regionId),
          changesMerge: decoded.some(
            (other) => other.kind === "mergeRecord" && other.regionId === op.regionId,
          ),
        });
      }
    }
    changed.forEach((id) => this.#checkOverlap(id));
    return steps;
  }

  #takeConfStates(decoded: readonly DecodedOp[]): void {
    const touched = new Set<PeerRecord>();
    for (const op of decoded) {
      const peer =
        op.kind === "confState" || op.kind === "localState" ? this.#peers.get(op.regionId) : undefined;
      if (peer === undefined) {
        continue;
      }
      touched.add(peer);
      if (op.kind === "confState" && op.value !== undefined) {
        peer.confState = op.value;
        if (peer.applied !== undefined) {
          peer.region.sawConfState(this.#name, peer.applied.index, op.value);
        }
      }
    }
    touched.forEach((peer) => peer.checkConfState());
  }

  #takeRow(column: ContentColumn, key: Uint8Array, value: Uint8Array | undefined): void {
    const { regionId, hash } = this.#content.write(column, key, value);
    const peer = regionId === undefined ? undefined : this.#peers.get(regionId);
    const isLeaving = regionId !== undefined && this.#leaving.has(regionId);
    // What a merge took over is deleted where it was, when that Region is gone already.
    if (peer === undefined && !isLeaving && value !== undefined) {
      const text = `${this.#name} writes a row of ${column} that lies in none of its Regions`;
      this.#report("rows lie in their Regions", text);
    } else if (peer?.localState?.state === "Normal") {
      peer.operations = appended(peer.operations, hash);
    }
  }

  #takeApplyState(regionId: RegionId, state: NonNullable<PeerRecord["applied"]>): void {
    const peer = this.#peer(regionId);
    if (peer.peerId !== undefined) {
      peer.region.sawReached(peer.peerId, state.index);
    }
    if (peer.localState?.state === "Applying") {
      // A snapshot: its rows follow, and are looked at when all are there.
      const mark = peer.region.markAt(state.index);
      if (mark === undefined) {
        this.#tell(
          "same applied index, same state",
          peer,
          `a snapshot of ${state.index}, which nobody ever applied`,
        );
      }
      peer.operations = mark?.operations ?? peer.operations;
      peer.applied = state;
      return;
    }
    const from = peer.commit;
    peer.checkApply(state);
    const isProgress = peer.applied?.index !== state.index;
    peer.applied = state;
    peer.checkCommitted(from);
    peer.isBetweenSteps &&= !isProgress;
    if (!peer.isBetweenSteps) {
      this.#checkMark(peer);
    }
  }

  /** Rows that were not applied here but found after a start, or came with a snapshot. */
  #checkFound(peer: PeerRecord): void {
    const { applied, region } = peer;
    const content = this.#content.hashOf(peer.regionId);
    peer.isBetweenSteps = applied !== undefined && region.isBetweenSteps(applied.index, content);
    if (!peer.isBetweenSteps) {
      this.#checkMark(peer);
    }
  }

  #checkMark(peer: PeerRecord): void {
    if (peer.applied !== undefined) {
      const { operations, applied: state } = peer;
      peer.region.sawApplied(this.#name, { state, operations, content: this.#content.hashOf(peer.regionId) });
    }
  }

  #setLocalState(regionId: RegionId, localState: NonNullable<PeerRecord["localState"]>): void {
    const { state, region } = localState;
    const own = this.#storeId === undefined ? undefined : peerOnStore(region, this.#storeId)?.id;
    this.#leaving.delete(regionId);
    if (state === "Tombstone" || state === "Destroying") {
      this.#peers.delete(regionId);
      if (state === "Destroying") {
        this.#leaving.add(regionId);
        this.#content.leaveRegion(regionId);
      }
      if (state === "Tombstone") {
        this.#content.removeRegion(regionId);
      }
      return;
    }
    this.#replaceOld(regionId, own);
    const peer = this.#peer(regionId);
    const before = peer.localState;
    peer.setLocalState(localState);
    peer.peerId = own;
    if (own !== undefined) {
      this.#lives.saw(own, this.#name);
    }
    if (state === "Uninitialised") {
      return;
    }
    peer.region.sawRegion(this.#name, region);
    this.#content.setRegion(regionId, region);
    if (before?.state === "Applying" && state === "Normal") {
      this.#checkFound(peer);
    }
  }

  /** A later peer of the Region takes the place of one that never had anything. */
  #replaceOld(regionId: RegionId, own: PeerId | undefined): void {
    const known = this.#peers.get(regionId);
    if (known?.peerId !== undefined && own !== undefined && known.peerId !== own) {
      if (known.localState?.state !== "Uninitialised") {
        this.#tell("a peer has one history", known, `peer ${known.peerId} becomes peer ${own}`);
      }
      this.#peers.delete(regionId);
    }
  }

  #checkOverlap(regionId: RegionId): void {
    const peer = this.#peers.get(regionId);
    const region = rangeOf(peer);
    for (const one of peer === undefined || region === undefined ? [] : this.#peers.values()) {
      const other = rangeOf(one);
      if (other !== undefined && one !== peer && rangesOverlap(region as KeyRange, other)) {
        const text = `${formatRange(region as KeyRange)} overlaps Region ${one.regionId} ${formatRange(other)}`;
        this.#tell("Regions tile the key space", peer as PeerRecord, text);
      }
    }
  }

  #peer(regionId: RegionId): PeerRecord {
    let peer = this.#peers.get(regionId);
    if (peer === undefined) {
      peer = new PeerRecord(regionId, this.#name, this.#regionOf(regionId), this.#report);
      this.#peers.set(regionId, peer);
    }
    return peer;
  }

  #tell(name: string, { regionId }: PeerRecord, text: string): void {
    this.#report(name, `Region ${regionId} on ${this.#name}: ${text}`);
  }
}

/** An empty peer's range says nothing. */
function rangeOf(peer: PeerRecord | undefined): KeyRange | undefined {
  const local = peer?.localState;
  return local === undefined || local.state === "Uninitialised" ? undefined : local.region;
}

function removedIn(decoded: readonly DecodedOp[]): ReadonlySet<RegionId> {
  const removed = new Set<RegionId>();
  for (const op of decoded) {
    if (op.kind === "localState" && (op.value?.state === "Destroying" || op.value?.state === "Tombstone")) {
      removed.add(op.regionId);
    }
  }
  return removed;
}

function appliedIn(decoded: readonly DecodedOp[], regionId: RegionId): PeerRecord["applied"] {
  const found = decoded.findLast((op) => op.kind === "applyState" && op.regionId === regionId);
  return found?.kind === "applyState" ? found.value : undefined;
}
