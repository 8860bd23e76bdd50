import type { LogCommand } from "@flaredb/rdb-proto";
import type { ConfChange } from "@flaredb/rdb-raft";
import type { ApplyState } from "@flaredb/rdb-storage";

/** An entry that changes the Region itself, at its place in the log. */
export interface AdminEntry {
  readonly command: LogCommand;
  /** What the core is to make of it; only on an entry of that type. */
  readonly confChange: ConfChange | undefined;
  /** How far the Region is with this entry applied. */
  readonly state: ApplyState;
}

/** What an admin entry made, beside the rows that it added to the part. */
export interface AdminEffect {
  /** Differs from the entry's only where the Region's revision or log time jumps (a merge). */
  readonly state: ApplyState;
  /** Done when the part is submitted, before any later entry is applied: what the peer knows of its Region changes. */
  readonly submitted?: () => void;
}
