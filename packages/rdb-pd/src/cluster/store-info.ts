import type { StoreId } from "@flaredb/rdb-base";

/** What is durable of a Store. */
export interface StoreInfo {
  readonly id: StoreId;
  /** Drawn by the Store when it was new; a repeated registration with it gets the same id. */
  readonly registrationToken: string;
  /**
   * host:port of its RPC endpoint. Invariant: no two Stores that are not tombstones share one. Empty while another
   * known Store has it, until this one registers again.
   */
  readonly address: string;
  /** host:port of its HTTP endpoint. */
  readonly httpAddress: string;
  /** Those that count: its own, with those of people in their place. */
  readonly labels: Readonly<Record<string, string>>;
  /** What people gave it; an empty value takes the label away. */
  readonly adminLabels: Readonly<Record<string, string>>;
  /** Its peers are to go to other Stores, and then it is gone for good. */
  readonly isDraining: boolean;
  /** It is to lead nothing. */
  readonly evictsLeaders: boolean;
  readonly programVersion: string;
  /** The newest that its program is known, by PD's log, to know: the oldest as long as the cluster has that. */
  readonly clusterVersion: number;
  /** Of the process that registered last. */
  readonly bootId: bigint;
  /** When that was: wall clock, milliseconds since 1970. */
  readonly startedMs: number;
  /** Gone for good; the id is never used again. */
  readonly isTombstone: boolean;
  /** It was given up when Regions were recovered without it: it is refused from then on. */
  readonly isLost?: boolean;
  /** Of a tombstone: the Store that took its address. */
  readonly replacedBy: StoreId | undefined;
}

/** A Store's own labels with those of people over them. */
export function withAdminLabels(
  labels: Readonly<Record<string, string>>,
  adminLabels: Readonly<Record<string, string>>,
): Record<string, string> {
  const all = Object.entries({ ...labels, ...adminLabels });
  return Object.fromEntries(all.filter(([name]) => adminLabels[name] !== ""));
}
