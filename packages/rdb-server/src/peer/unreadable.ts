import { hasCode } from "@flaredb/rdb-base";

/** Whether the disk did not give back what a peer has stored: that stops the peer, and no other of its Store. */
export function isUnreadable(error: unknown): boolean {
  return hasCode(error, "RDB_DATA_CORRUPT") || hasCode(error, "RDB_STORAGE_FAILED");
}
