import {
  type KeyRange,
  type RegionId,
  type StoreId,
  peerOnStore,
  rangesOverlap,
  formatRange,
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
import { appended, hashOf } from "./hash.ts";
import { type LogChanges, takeLogChanges } from "./log-changes.ts";
import { lostSince } from "./lost-since.ts";
import { PeerRecord } from "./peer-record.ts";
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
  #storeId: StoreId | undefined;
  #peers = new Map<RegionId, PeerRecord>();
  #content = new StoreContent();
  /** Submitted and not known to be durable, oldest first. */
  #pending: LogChanges[] = [];

  constructor({ name, report, regionOf }: StoreObserverOptions) {
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
    this.#pending = [];
    const ops = columns.flatMap((column) =>
      [...disk.rows(column)].map((row): WriteOp => ({ column, ...row })),
    );
    const decoded = ops.map(decodeOp);
    this.#takeMeta(decoded);
    this.#takeRegions(decoded, ops);
    for (const old of before.values()) {
      const touched = pending.flatMap(({ entries }) =>
        entries.filter((entry) => entry.regionId === old.regionId),
      );
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
    this.#peers = new Map();
    this.#pending = [];
    this.#storeId = undefined;
  }

  /** A part is submitted. @returns what `written` wants */
  submitted(part: WritePart): StepToken {
    const decoded = part.ops.map(decodeOp);
    this.#takeMeta(decoded);
    // Entries and HardStates first: everything else refers to them.
    const step = takeLogChanges(decoded, part.ops, (id) => this.#peer(id));
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
    for (const { entries, hardStates } of this.#pending.splice(0, place + 1)) {
      for (const { regionId, index, entry } of entries) {
        this.#peers.get(regionId)?.becameDurable(index, entry);
      }
      for (const { regionId, state } of hardStates) {
        this.#peers.get(regionId)?.hardStateBecameDurable(state);
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
      } else if (op.kind === "truncated" && op.value !== undefined) {
        this.#peer(op.regionId).truncated = op.value;
      } else if (op.kind === "confState" && op.value !== undefined) {
        this.#regionOf(op.regionId).sawConfState(op.value);
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

  /** Regions, rows and how far they are applied, in the order of the part. */
  #takeStates(decoded: readonly DecodedOp[], ops: readonly WriteOp[]): void {
    for (const [place, op] of decoded.entries()) {
      const { column, key, value } = ops[place] as WriteOp;
      if (op.kind === "localState" && op.value !== undefined) {
        this.#setLocalState(op.regionId, op.value);
      } else if (column === "data" || column === "session") {
        this.#takeRow(column, key, value);
      }
    }
    for (const op of decoded) {
      if (op.kind === "applyState" && op.value !== undefined) {
        this.#takeApplyState(op.regionId, op.value);
      }
    }
  }

  #takeRow(column: ContentColumn, key: Uint8Array, value: Uint8Array | undefined): void {
    const { regionId, hash } = this.#content.write(column, key, value);
    const peer = regionId === undefined ? undefined : this.#peers.get(regionId);
    if (peer === undefined) {
      const text = `${this.#name} writes a row of ${column} that lies in none of its Regions`;
      this.#report("rows lie in their Regions", text);
    } else if (peer.localState?.state === "Normal") {
      peer.operations = appended(peer.operations, hash);
    }
  }

  #takeApplyState(regionId: RegionId, state: NonNullable<PeerRecord["applied"]>): void {
    const peer = this.#peer(regionId);
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
    if (state === "Tombstone" || state === "Destroying") {
      this.#peers.delete(regionId);
      if (state === "Tombstone") {
        this.#content.removeRegion(regionId);
      }
      return;
    }
    const peer = this.#peer(regionId);
    const before = peer.localState;
    peer.setLocalState(localState);
    peer.peerId = this.#storeId === undefined ? undefined : peerOnStore(region, this.#storeId)?.id;
    peer.region.sawRegion(this.#name, region);
    this.#content.setRegion(regionId, region);
    this.#checkOverlap(peer);
    if (before?.state === "Applying" && state === "Normal") {
      this.#checkFound(peer);
    }
  }

  #checkOverlap(peer: PeerRecord): void {
    const region = peer.localState?.region;
    for (const { localState: other } of this.#peers.values()) {
      if (
        region !== undefined &&
        other !== undefined &&
        other.region.id !== region.id &&
        rangesOverlap(region, other.region)
      ) {
        const text = `${formatRange(region)} overlaps Region ${other.region.id} ${formatRange(other.region)}`;
        this.#tell("Regions tile the key space", peer, text);
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
