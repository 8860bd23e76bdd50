import {
  EMPTY_KEY,
  type Region,
  type RegionId,
  type Term,
  compareKeys,
  formatKey,
  formatRange,
  rangesOverlap,
} from "@flaredb/rdb-base";
import type { ConfState } from "@flaredb/rdb-raft";
import type { Descent, Joining } from "./lineage.ts";
import { PeerLives } from "./peer-lives.ts";
import { RegionAtlas } from "./region-atlas.ts";
import { RegionRecord } from "./region-record.ts";
import { StoreObserver } from "./store-observer.ts";
import type { Violation } from "./violation.ts";

/**
 * What must hold at every moment of a run, whatever goes wrong. Each observation is checked when it is made; what is
 * broken is told at once, by name:
 *
 * - `one leader a term`, `one vote a term`, `terms never fall`
 * - `log matching`, `logs have no holes`, `a conflicting tail is cut`
 * - `committed entries stay`, `committed by a durable majority`, `commit lies in the log`
 * - `applied is durable`, `applies go forward`, `same applied index, same state`
 * - `what is durable stays`, `rows lie in their Regions`
 * - `Regions tile the key space`, `an epoch stands for one Region`, `epochs never go back`,
 *   `epochs rise with each change`
 * - `a Region is split off once`, `a new Region goes on from its parent`,
 *   `a Region goes on from those it takes`
 * - `configurations follow each other`, `an index stands for one configuration`,
 *   `the configuration is the Region's peers`
 * - `who comes to vote is caught up`, `a change costs no quorum`, `a Region keeps its replicas`
 * - `newer commands wait for the cluster`
 * - `a peer has one history`, `a removed peer never comes back`, `a peer goes when its Region lets it`
 */
export class ClusterInvariants {
  readonly #onViolation: (violation: Violation) => void;
  readonly #regions = new Map<RegionId, RegionRecord>();
  readonly #stores = new Map<string, StoreObserver>();
  /** As PD's map had them last. */
  readonly #mapped = new Map<RegionId, Region>();
  readonly #lives = new PeerLives((name, message) => this.#tell(name, message));
  readonly #atlas = new RegionAtlas((name, message) => this.#tell(name, message));
  /** Whether the Store's process ran at some time not long ago. Default: all do. */
  wasUp: (store: string) => boolean = () => true;

  /** The newest cluster version that the programs of all Stores know. Default: they know everything. */
  knownVersion: () => number = () => Number.POSITIVE_INFINITY;

  /** Voters that no change may leave a Region fewer of. Default: peers are taken away on request, too. */
  voterMinCount = 0;

  /** @param onViolation called inside of whatever broke it, so it must not throw */
  constructor(onViolation: (violation: Violation) => void) {
    this.#onViolation = onViolation;
  }

  /** Whoever watches the database of the Store of that name, through all of its starts. */
  store(name: string): StoreObserver {
    let store = this.#stores.get(name);
    if (store === undefined) {
      store = new StoreObserver({
        name,
        report: (violated, message) => this.#tell(violated, message),
        regionOf: (id) => this.#regionOf(id),
        knownVersion: () => this.knownVersion(),
        ...{ atlas: this.#atlas, lives: this.#lives },
      });
      this.#stores.set(name, store);
    }
    return store;
  }

  /** How Regions came from each other, for the judgement of histories. */
  get lineage(): { readonly descents: readonly Descent[]; readonly joinings: readonly Joining[] } {
    const { descents, joinings } = this.#atlas;
    return { descents, joinings };
  }

  /** The Regions at their newest committed epochs. */
  get regions(): readonly Region[] {
    return this.#atlas.regions;
  }

  /** The Store of that name says that it leads the Region. */
  sawLeader(store: string, regionId: RegionId, term: Term): void {
    this.#regionOf(regionId).sawLeader(store, term);
  }

  /**
   * The placement driver's whole map. Its Regions never overlap; a gap is where a split or a merge was reported by one
   * of the Regions and not by the others yet.
   */
  sawMap(regions: readonly Region[]): void {
    const sorted = regions.toSorted((a, b) => compareKeys(a.startKey, b.startKey));
    let end: Uint8Array | undefined = EMPTY_KEY;
    for (const region of sorted) {
      const isOverlap = end === undefined || compareKeys(end, region.startKey) > 0;
      if (isOverlap || this.#isGap(end ?? EMPTY_KEY, region.startKey)) {
        const before = end === undefined ? "the end of the key space" : `"${formatKey(end)}"`;
        this.#tell(
          "Regions tile the key space",
          `in PD's map Region ${region.id} ${formatRange(region)} follows ${before}`,
        );
      }
      end = region.endKey.length === 0 ? undefined : region.endKey;
      this.#checkMapped(region);
    }
    if (end !== undefined && sorted.length > 0 && this.#isGap(end, undefined)) {
      this.#tell("Regions tile the key space", `PD's map ends at "${formatKey(end)}"`);
    }
  }

  /** Keys that nobody has, though no range has changed there. `to` undefined: up to the end of the key space. */
  #isGap(from: Uint8Array, to: Uint8Array | undefined): boolean {
    if (to !== undefined && compareKeys(from, to) >= 0) {
      return false;
    }
    const gap = { startKey: from, endKey: to ?? EMPTY_KEY };
    return !this.#atlas.regions.some(({ epoch, ...range }) => epoch.version > 1 && rangesOverlap(range, gap));
  }

  #checkMapped(region: Region): void {
    const before = this.#mapped.get(region.id)?.epoch;
    const { confVer, version } = region.epoch;
    if (before !== undefined && (version < before.version || confVer < before.confVer)) {
      const text = `in PD's map Region ${region.id} goes from ${before.confVer}/${before.version} to ${confVer}/${version}`;
      this.#tell("epochs never go back", text);
    }
    this.#mapped.set(region.id, region);
  }

  #regionOf(id: RegionId): RegionRecord {
    let region = this.#regions.get(id);
    if (region === undefined) {
      const report = (name: string, message: string): void => this.#tell(name, message);
      region = new RegionRecord(id, report, (state) => this.#checkAlive(id, state));
      this.#regions.set(id, region);
    }
    return region;
  }

  /** A change was proposed and committed with a majority; it must not leave a configuration that has none. */
  #checkAlive(id: RegionId, { voters, votersOutgoing }: ConfState): void {
    for (const half of [voters, votersOutgoing]) {
      if (half.length > 0 && half.length < this.voterMinCount) {
        const text = `Region ${id}: ${half.join(", ")} vote, and nobody asked for fewer than ${this.voterMinCount}`;
        this.#tell("a Region keeps its replicas", text);
      }
      const down = half.filter((voter) => {
        const store = this.#lives.storeOf(voter);
        return store === undefined || !this.wasUp(store);
      });
      if (half.length > 0 && 2 * (half.length - down.length) <= half.length) {
        const text = `Region ${id}: of the new voters ${half.join(", ")} these are long gone: ${down.join(", ")}`;
        this.#tell("a change costs no quorum", text);
      }
    }
  }

  #tell(name: string, message: string): void {
    this.#onViolation({ name, message });
  }
}
