import type { Mutant } from "../mutant.ts";

// Bugs in exactly-once writes: a write that is applied twice, or whose fate the client is told wrongly.

const ENTRY_SESSIONS = "packages/rdb-server/src/peer/entry-sessions.ts";
const WINDOW = "packages/rdb-server/src/peer/session-window.ts";
const SENDER = "packages/rdb-client/src/request-sender.ts";

export const sessionMutants: readonly Mutant[] = [
  {
    name: "retried-write-applied-twice",
    breaks: "A write that is recorded already is carried out once more.",
    edits: [
      {
        file: ENTRY_SESSIONS,
        find: "if (rows === undefined && sequence > client.maxSequence) {",
        replace: "if (sequence > client.maxSequence) {",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "repeat-in-one-entry-applied-twice",
    breaks: "Two copies of a write that share an entry are both carried out.",
    edits: [
      {
        file: ENTRY_SESSIONS,
        find: "if (rows === undefined && sequence > client.maxSequence) {",
        replace: "if (rows === undefined) {",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "closed-sequence-accepted",
    breaks: "A late copy of a write that its client has closed, and the Region forgotten, is carried out.",
    edits: [
      {
        file: ENTRY_SESSIONS,
        find: "if (sequence < client.floor) {",
        replace: "if (sequence < client.floor && client.known === undefined) {",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "session-row-dropped-while-accepted",
    breaks: "A record is dropped while a retry of its write is still accepted: the write is applied twice.",
    edits: [
      {
        file: WINDOW,
        find: "return entryLogTimeMs + ISSUED_MAX_AHEAD_MS < logTimeMs - ISSUED_MAX_AGE_MS;",
        replace: "return entryLogTimeMs < logTimeMs - ISSUED_MAX_AHEAD_MS;",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "expired-write-accepted",
    breaks:
      "A write that was issued too long ago is carried out, though nobody remembers whether it was already.",
    edits: [
      {
        file: WINDOW,
        find: "return issuedAtMs >= logTimeMs - ISSUED_MAX_AGE_MS && issuedAtMs <= logTimeMs + ISSUED_MAX_AHEAD_MS;",
        replace: "return issuedAtMs <= logTimeMs + ISSUED_MAX_AHEAD_MS;",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "retry-under-new-identity",
    breaks: "A client that was refused forgets that an earlier attempt may be applied, and writes anew.",
    edits: [
      {
        file: SENDER,
        find: "    if (call.identity?.isUncertain === false) {\n      call.identity.close();",
        replace:
          "    if (call.identity !== undefined && call.identity !== call.spec.identity) {\n      call.identity.close();",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "sent-write-told-as-failed",
    breaks: "A client says that a write failed which was sent and may be applied.",
    edits: [
      {
        file: SENDER,
        find: "this.#reject(call, isUncertain ? undeterminedError(call, error) : error);",
        replace:
          "this.#reject(call, isUncertain && call.spec.deadlineMs < 0 ? undeterminedError(call, error) : error);",
      },
    ],
    seenBy: ["simulator"],
  },
];
