import { RdbError, type RegionId } from "@flaredb/rdb-base";
import { type StoreStats, reportsDigest } from "@flaredb/rdb-proto";
import { pdLimits } from "../limits.ts";
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

  /** Takes single changes in. @throws RdbError RDB_INVALID_ARGUMENT past `storeReportMaxCount`: then it takes none */
  merge(reports: readonly PeerReport[]): void {
    const isNew = ({ regionId }: PeerReport): boolean => this.#reports.get(regionId) === undefined;
    checkCount(this.#reports.size + reports.filter(isNew).length);
    for (const report of reports) {
      this.#reports.set(report);
    }
  }

  /**
   * Takes a heartbeat's reports in and compares with the Store's own digest of all it has. Reports that make that
   * digest by themselves are the whole list, and Regions that are not among them are gone from the Store.
   *
   * @returns whether both sides know the same now; if not, the Store has to send everything
   * @throws RdbError as `merge`
   */
  reconcile(reports: readonly PeerReport[], digest: Uint8Array): boolean {
    if (digestsEqual(reportsDigest(reports), digest)) {
      checkCount(reports.length);
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

function checkCount(count: number): void {
  const { storeReportMaxCount } = pdLimits;
  if (count > storeReportMaxCount) {
    throw new RdbError(
      "RDB_INVALID_ARGUMENT",
      `the store says that it has peers of ${count} regions, storeReportMaxCount is ${storeReportMaxCount}`,
      { details: { limit: storeReportMaxCount } },
    );
  }
}

function digestsEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
