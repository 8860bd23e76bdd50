import type { RegionId } from "@flaredb/rdb-base";
import { type StoreStats, reportsDigest } from "@flaredb/rdb-proto";
import type { PeerReport } from "./region-info.ts";
import { ReportTable } from "./report-table.ts";

/** What one Store said of itself since PD's start. In memory only. */
export class StoreActivity {
  /** The process that `stats` and the reports are from; undefined until it registers or says something. */
  bootId: bigint | undefined;
  /** The newest cluster version that `bootId` knows; undefined until it has said. */
  clusterVersion: number | undefined;
  /** Wall clock, milliseconds since 1970; 0 when never. */
  lastHeardMs = 0;
  /** Undefined until its first heartbeat. */
  stats: StoreStats | undefined;
  /** Whether `reports` is known to be what the Store would report now. */
  isComplete = false;
  #reports = new ReportTable();

  report(regionId: RegionId): PeerReport | undefined {
    return this.#reports.get(regionId);
  }

  /** How many peers it has said that it has. */
  get reportCount(): number {
    return this.#reports.size;
  }

  /** Takes single changes in. */
  merge(reports: Iterable<PeerReport>): void {
    for (const report of reports) {
      this.#reports.set(report);
    }
  }

  /**
   * Takes a heartbeat's reports in and compares with the Store's own digest of all it has. Reports that make that
   * digest by themselves are the whole list, and Regions that are not among them are gone from the Store.
   *
   * @returns whether both sides know the same now; if not, the Store has to send everything
   */
  reconcile(reports: readonly PeerReport[], digest: Uint8Array): boolean {
    if (digestsEqual(reportsDigest(reports), digest)) {
      this.#reports = new ReportTable(reports);
      this.isComplete = true;
    } else {
      this.merge(reports);
      this.isComplete = digestsEqual(reportsDigest(this.#reports.values()), digest);
    }
    return this.isComplete;
  }

  /** Its process is a new one: nothing that the old one said counts. */
  reset(bootId: bigint): void {
    this.bootId = bootId;
    this.clusterVersion = undefined;
    this.stats = undefined;
    this.isComplete = false;
    this.#reports = new ReportTable();
  }
}

function digestsEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
