import { type RegionId, assert, peerId } from "@flaredb/rdb-base";
import type { PeerReport } from "./region-info.ts";

/** Numbers of one report: peer, conf_ver, version, and 1 for a leader. */
const WIDTH = 4;
const START_COUNT = 16;
/** By how much the table grows when it is full: little, as there are as many rows in all tables as peers in the cluster. */
const GROWTH = 1.25;

/** The reports of one Store, one for each Region: in columns, as small as what their digest covers. */
export class ReportTable {
  readonly #rows = new Map<RegionId, number>();
  #numbers: Float64Array;

  constructor(reports: readonly PeerReport[] = []) {
    this.#numbers = new Float64Array(Math.max(START_COUNT, reports.length) * WIDTH);
    for (const report of reports) {
      this.set(report);
    }
  }

  get size(): number {
    return this.#rows.size;
  }

  get(id: RegionId): PeerReport | undefined {
    const row = this.#rows.get(id);
    return row === undefined ? undefined : this.#read(id, row);
  }

  set({ regionId, peerId: peer, epoch, isLeader }: PeerReport): void {
    let row = this.#rows.get(regionId);
    if (row === undefined) {
      row = this.#rows.size;
      this.#rows.set(regionId, row);
      this.#reserve(row + 1);
    }
    this.#numbers.set([peer, epoch.confVer, epoch.version, isLeader ? 1 : 0], row * WIDTH);
  }

  *values(): Generator<PeerReport> {
    for (const [id, row] of this.#rows) {
      yield this.#read(id, row);
    }
  }

  #read(regionId: RegionId, row: number): PeerReport {
    const [peer, confVer, version, isLeader] = this.#numbers.subarray(row * WIDTH, (row + 1) * WIDTH);
    assert(peer !== undefined && confVer !== undefined && version !== undefined, "a row has its numbers");
    return { regionId, peerId: peerId(peer), epoch: { confVer, version }, isLeader: isLeader === 1 };
  }

  #reserve(count: number): void {
    if (count * WIDTH > this.#numbers.length) {
      const grown = new Float64Array(Math.ceil(count * GROWTH) * WIDTH);
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
  }
}
