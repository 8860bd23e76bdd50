import {
  type Index,
  type PeerId,
  type Region,
  type Term,
  index,
  peerId,
  regionId as toRegionId,
  storeId,
  term,
} from "@flaredb/rdb-base";
import type { Entry } from "@flaredb/rdb-raft";
import {
  type Column,
  type RegionPhase,
  type Row,
  WritePart,
  columns,
  encodeValue,
  indexedKey,
  putApplyState,
  putRegionLocalState,
  writeIdent,
} from "@flaredb/rdb-storage";
import {
  encodeConfState,
  encodeEntry,
  encodeHardState,
  encodeTruncatedState,
  stateKey,
  stateKinds,
} from "@flaredb/rdb-storage/testing";
import type { ClusterInvariants } from "../check/cluster-invariants.ts";
import type { StoreObserver } from "../check/store-observer.ts";

export const REGION_ID = toRegionId(7);
/** Where Regions begin: what is at and before it is no entry. */
const START = 5;

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The Region with three peers, 11 to 13 on Stores 1 to 3. */
export function region(changed: Partial<Region> = {}): Region {
  return {
    id: REGION_ID,
    startKey: bytes(""),
    endKey: bytes(""),
    epoch: { confVer: 1, version: 1 },
    peers: [1, 2, 3].map((id) => ({ id: peerId(10 + id), storeId: storeId(id), role: "Voter" as const })),
    ...changed,
  };
}

const voters = [11, 12, 13].map((id) => peerId(id));
const confState = { voters, learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };

/** A Store that writes whatever a test wants, and whose disk keeps all of it that is not lost. */
export class WatchedStore {
  readonly observer: StoreObserver;
  readonly #rows = new Map<string, Row & { readonly column: Column }>();
  readonly #unsynced: { readonly part: WritePart; readonly token: object }[] = [];

  /** Begins with the Region at its start, or with nothing. */
  constructor(
    invariants: ClusterInvariants,
    place: number,
    begins: "with the Region" | "empty" = "with the Region",
  ) {
    this.observer = invariants.store(`store-${place}`);
    this.restart();
    this.identify(place);
    if (begins === "empty") {
      return;
    }
    const part = new WritePart();
    putRegionLocalState(part, { state: "Normal", region: region() });
    putApplyState(part, REGION_ID, { index: index(START), term: term(START), revision: 0, logTimeMs: 0 });
    this.#truncate(part, START, START);
    part.put("raft_state", stateKey(REGION_ID, stateKinds.confState), encodeConfState(confState));
    this.submit(part);
    this.hardState({ term: START, commit: START });
  }

  /** It is this Store from now on. */
  identify(id: number): void {
    const part = new WritePart();
    writeIdent(part, { kind: "Store", clusterId: 1, storeId: storeId(id) });
    this.submit(part);
  }

  /** A snapshot of a Region that was not here begins to arrive. */
  takeSnapshot(of: Region, at: number): void {
    const part = new WritePart();
    putRegionLocalState(part, { state: "Applying", region: of });
    putApplyState(part, of.id, { index: index(at), term: term(6), revision: 2, logTimeMs: at });
    this.#truncate(part, at, 6);
    this.submit(part);
  }

  submit(part: WritePart, isWritten = true): void {
    const token = this.observer.submitted(part);
    this.#unsynced.push({ part, token });
    if (isWritten) {
      this.#take(part);
      this.observer.written(token, true);
    }
  }

  /** Entries as `term` and text, the first at `from`; undefined deletes. */
  log(
    from: number,
    entries: readonly (readonly [term: number, text: string] | undefined)[],
    isWritten = true,
  ): void {
    const part = new WritePart();
    for (const [place, entry] of entries.entries()) {
      const key = indexedKey(REGION_ID, (from + place) as Index);
      if (entry === undefined) {
        part.delete("raft_log", key);
      } else {
        part.put("raft_log", key, encodeEntry(madeEntry(from + place, ...entry)));
      }
    }
    this.submit(part, isWritten);
  }

  hardState(
    state: { readonly term: number; readonly vote?: number; readonly commit: number },
    isWritten = true,
    regionId = REGION_ID,
  ): void {
    const part = new WritePart();
    const { term: inTerm, vote = 0, commit } = state;
    const value = encodeHardState({ term: inTerm as Term, vote: vote as PeerId, commit: commit as Index });
    part.put("raft_state", stateKey(regionId, stateKinds.hardState), value);
    this.submit(part, isWritten);
  }

  /** Applies up to `at`: rows as key and value, undefined deletes; the revision is the version of all of them. */
  apply(
    at: number,
    rows: Readonly<Record<string, string | undefined>> = {},
    state: { readonly term?: number; readonly revision?: number } = {},
  ): void {
    const { term: ofTerm = 6, revision = at - START } = state;
    const part = new WritePart();
    this.#addRows(part, rows, revision);
    putApplyState(part, REGION_ID, { index: index(at), term: term(ofTerm), revision, logTimeMs: at });
    this.submit(part);
  }

  /** Rows without anything applied. */
  write(rows: Readonly<Record<string, string | undefined>>, revision = 0): void {
    const part = new WritePart();
    this.#addRows(part, rows, revision);
    this.submit(part);
  }

  regionState(state: RegionPhase, changed: Partial<Region> = {}): void {
    const part = new WritePart();
    putRegionLocalState(part, { state, region: region(changed) });
    this.submit(part);
  }

  /** The log begins behind `at`, an entry of term 6. */
  compact(at: number): void {
    const part = new WritePart();
    this.#truncate(part, at, 6);
    this.submit(part);
  }

  /** A snapshot of `at` arrives; `rows` replace what was there, but for what `leaves` out. */
  install(
    at: number,
    rows: Readonly<Record<string, string>>,
    options: { readonly leavesOld?: boolean } = {},
  ): void {
    const first = new WritePart();
    putRegionLocalState(first, { state: "Applying", region: region() });
    putApplyState(first, REGION_ID, { index: index(at), term: term(6), revision: at - START, logTimeMs: at });
    this.#truncate(first, at, 6);
    this.submit(first);
    if (options.leavesOld !== true) {
      this.observer.deletedRange("data", region());
      for (const [name, { column }] of this.#rows) {
        if (column === "data") {
          this.#rows.delete(name);
        }
      }
    }
    this.write(rows, 1);
    this.regionState("Normal");
  }

  /** The process ends and starts again; what was not written is lost. */
  restart(): void {
    const content: Record<string, Row[]> = Object.fromEntries(columns.map((column) => [column, []]));
    for (const { column, ...row } of this.#rows.values()) {
      content[column]?.push(row);
    }
    this.observer.opened({ rows: (column) => content[column] ?? [] });
  }

  /** The disk forgets a row of the Region's log or state. */
  lose(what: number | "hardState"): void {
    const [column, key]: [Column, Uint8Array] =
      what === "hardState"
        ? ["raft_state", stateKey(REGION_ID, stateKinds.hardState)]
        : ["raft_log", indexedKey(REGION_ID, what as Index)];
    this.#rows.delete(nameOf(column, key));
  }

  /** The disk is empty. */
  loseAll(): void {
    this.#rows.clear();
  }

  /** The disk has a row of data no more. */
  loseRow(key: string): void {
    this.#rows.delete(nameOf("data", bytes(key)));
  }

  /** The disk has another row of data than was written. */
  corrupt(key: string, value: string): void {
    this.#set("data", bytes(key), encodeValue(1, bytes(value)));
  }

  #truncate(part: WritePart, at: number, ofTerm: number): void {
    for (let position = START + 1; position <= at; position++) {
      part.delete("raft_log", indexedKey(REGION_ID, position as Index));
    }
    const value = encodeTruncatedState({ index: index(at), term: term(ofTerm) });
    part.put("raft_state", stateKey(REGION_ID, stateKinds.truncated), value);
  }

  /** The disk says that this much is applied, which the Store never wrote. */
  forgeApplied(at: number): void {
    const part = new WritePart();
    putApplyState(part, REGION_ID, { index: index(at), term: term(6), revision: 0, logTimeMs: 0 });
    this.#take(part);
  }

  #addRows(part: WritePart, rows: Readonly<Record<string, string | undefined>>, revision: number): void {
    for (const [key, value] of Object.entries(rows)) {
      if (value === undefined) {
        part.delete("data", bytes(key));
      } else {
        part.put("data", bytes(key), encodeValue(revision, bytes(value)));
      }
    }
  }

  #take(part: WritePart): void {
    for (const { column, key, value } of part.ops) {
      this.#set(column, key, value);
    }
  }

  #set(column: Column, key: Uint8Array, value: Uint8Array | undefined): void {
    if (value === undefined) {
      this.#rows.delete(nameOf(column, key));
    } else {
      this.#rows.set(nameOf(column, key), { column, key, value });
    }
  }
}

function nameOf(column: Column, key: Uint8Array): string {
  return `${column} ${Buffer.from(key).toString("hex")}`;
}

function madeEntry(at: number, ofTerm: number, text: string): Entry {
  return { type: "Normal", index: index(at), term: term(ofTerm), data: bytes(text) };
}
