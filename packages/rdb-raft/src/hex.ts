import type { PeerId } from "@flaredb/rdb-base";

/** An id as it is written in log lines. */
export function hex(id: PeerId | 0): string {
  return id.toString(16);
}
