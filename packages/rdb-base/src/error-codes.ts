/**
 * Every code that an {@link RdbError} can have, with what it means for whoever gets it.
 * docs/errors.md is checked against this table.
 *
 * A write that fails with a code whose `write` is "unknown" may or may not have been applied; once at most, if it had
 * an identity, as all writes of the SDK have.
 */
export const errorCodes = {
  RDB_INVALID_ARGUMENT: {
    write: "not applied",
    meaning: "the request breaks a rule or a limit; the message names both",
  },
  RDB_UNAUTHENTICATED: {
    write: "not applied",
    meaning: "the request carries no token, or another one than the process was given",
  },
  RDB_PERMISSION_DENIED: {
    write: "not applied",
    meaning: "the process answers nobody here: it was given no token, or a web page of another origin asks",
  },
  RDB_CONFIG_INVALID: { write: "not applied", meaning: "a configuration field is unknown or out of range" },
  RDB_NOT_LEADER: {
    write: "not applied",
    meaning: "the peer asked is not the Region's leader, or the member asked not PD's",
  },
  RDB_EPOCH_NOT_MATCH: { write: "not applied", meaning: "the Region changed since the client learned of it" },
  RDB_REGION_NOT_FOUND: { write: "not applied", meaning: "the Store has no such Region" },
  RDB_KEY_NOT_IN_REGION: { write: "not applied", meaning: "the key is outside the addressed Region" },
  RDB_STALE_COMMAND: {
    write: "unknown",
    meaning:
      "leadership or term changed while the command was in flight; the SDK sends it again as the same write, which " +
      "is applied once",
  },
  RDB_REQUEST_EXPIRED: {
    write: "not applied",
    meaning:
      "the write was issued more than 60 s before the Region's log time, or more than 5 s ahead of it: what was " +
      "applied is remembered for so long. This try was not applied; of an earlier one, see the code of the error " +
      "that has this one as its cause",
  },
  RDB_SEQUENCE_CLOSED: {
    write: "not applied",
    meaning:
      "the client had said that it is done with the write's sequence. This try was not applied; of an earlier one, " +
      "see the code of the error that has this one as its cause",
  },
  RDB_SERVER_IS_BUSY: {
    write: "not applied",
    meaning: "a queue of the Store, or of the client, is at its limit",
  },
  RDB_STORE_NOT_MATCH: { write: "not applied", meaning: "the request was meant for another Store" },
  RDB_CLUSTER_MISMATCH: { write: "not applied", meaning: "the other side belongs to another cluster" },
  RDB_DISK_FULL: { write: "not applied", meaning: "the Store refuses writes until space is freed" },
  RDB_UNDETERMINED_RESULT: {
    write: "unknown",
    meaning:
      "the write, or a part of it, was sent, and time ran out (or the caller gave up) before any Store said what it " +
      "came to; it is applied once, now or later, or never. A copy that no leader has taken within 60 s of the " +
      "Region's log time never is applied; one that stands in a leader's log is decided when the Region next has a " +
      "majority, however late. With `isApplied: true` in its details it is applied, and only its answer is lost; with " +
      "`isDecided: true` it was carried out, and whether its condition held is lost with the answer. The same call " +
      "again would be another write: read the keys first, or write with a condition on their versions",
  },
  RDB_DEADLINE_EXCEEDED: {
    write: "not applied",
    meaning: "time ran out before the request could be sent, or all that was sent was refused",
  },
  RDB_ABORTED: {
    write: "not applied",
    meaning:
      "the caller's AbortSignal fired before the request was sent, or when all that was sent was refused",
  },
  RDB_CLOSED: { write: "not applied", meaning: "the client or process was closed" },
  RDB_UNAVAILABLE: { write: "not applied", meaning: "nobody answers at the address" },
  RDB_PD_UNAVAILABLE: { write: "not applied", meaning: "no placement driver answers, or none leads" },
  RDB_CLUSTER_NOT_BOOTSTRAPPED: { write: "not applied", meaning: "the cluster has no Regions yet" },
  RDB_ADDRESS_IN_USE: { write: "not applied", meaning: "another process listens on the address" },
  RDB_DATA_LOCKED: { write: "not applied", meaning: "another process holds the data folder" },
  RDB_DATA_FORMAT: { write: "not applied", meaning: "the data folder was written by a newer program" },
  RDB_DATA_FOREIGN: { write: "not applied", meaning: "the data folder belongs to another cluster or Store" },
  RDB_STORE_DECOMMISSIONED: {
    write: "not applied",
    meaning: "the Store was emptied on request and is gone for good; its process ends by itself",
  },
  RDB_STORE_LOST: {
    write: "not applied",
    meaning: "the Store was given up as lost when Regions were recovered without it, and is refused for good",
  },
  RDB_VERSION_TOO_OLD: {
    write: "not applied",
    meaning:
      "the program is older than its cluster's version, and would not understand the others: start a newer one",
  },
  RDB_CLUSTER_VERSION: {
    write: "not applied",
    meaning:
      "not every Store and member of PD knows yet what is asked for: finish the upgrade, `rdb cluster status` says " +
      "who is older",
  },
  RDB_DATA_CORRUPT: { write: "not applied", meaning: "what was read back is not what was written" },
  RDB_STORAGE_FAILED: { write: "unknown", meaning: "a write or sync to disk failed; the process ends" },
  RDB_NOT_FOUND: { write: "not applied", meaning: "no such Store, Region or Peer" },
  RDB_ALREADY_EXISTS: { write: "not applied", meaning: "the address, id or Region is taken" },
  RDB_OPERATOR_CANCELLED: {
    write: "not applied",
    meaning:
      "an operator ended before all of its steps were done; `details.reason` says why in one stable word",
  },
  RDB_INTERNAL: { write: "unknown", meaning: "a fault of the program; the cause is attached" },
} as const satisfies Record<string, { write: "not applied" | "unknown"; meaning: string }>;

/** Stable; match on this, never on a message. */
export type ErrorCode = keyof typeof errorCodes;
