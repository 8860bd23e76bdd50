import type { Mutant } from "../mutant.ts";

// Bugs in the Raft core: what is in the log, what is committed, who may lead.

const LOG = "packages/rdb-raft/src/raft-log.ts";
const ELECTION = "packages/rdb-raft/src/election.ts";
const REPLICATION = "packages/rdb-raft/src/replication.ts";
const EVERYWHERE = ["conformance", "simulator"] as const;

export const raftMutants: readonly Mutant[] = [
  {
    name: "vote-not-persisted",
    breaks: "A vote is forgotten in a restart and cast again in the same term: two leaders.",
    edits: [
      {
        file: "packages/rdb-raft/src/raw-node.ts",
        find: "return { term, vote, commit: log.committed };",
        replace: "return { term, vote: 0, commit: log.committed };",
      },
    ],
    seenBy: EVERYWHERE,
  },
  {
    name: "older-term-committed-by-counting",
    breaks:
      "A leader commits an older term's entry because a majority has it: it may still be replaced (Figure 8).",
    edits: [
      {
        file: LOG,
        find: "id.term === 0 || id.index <= this.committed || !this.matchTerm(id)",
        replace: "id.term === 0 || id.index <= this.committed",
      },
    ],
    seenBy: EVERYWHERE,
  },
  {
    name: "commit-beyond-last-new-entry",
    breaks: "A follower commits entries of its own that the leader's message says nothing about.",
    edits: [
      {
        file: LOG,
        find: "this.commitTo(minIndex(committed, last));",
        replace: "this.commitTo(committed);",
      },
    ],
    seenBy: EVERYWHERE,
  },
  {
    name: "conflicting-tail-kept",
    breaks: "A follower keeps entries of an older term where the leader has others.",
    edits: [
      {
        file: LOG,
        find: "      if (!this.matchTerm(entry)) {\n        if (entry.index <= this.lastIndex()) {",
        replace:
          "      if (entry.index > this.lastIndex()) {\n        if (entry.index <= this.lastIndex()) {",
      },
    ],
    seenBy: EVERYWHERE,
  },
  {
    name: "append-accepted-without-predecessor-term",
    breaks: "A follower takes entries behind one of another term: logs that look alike differ before.",
    edits: [
      {
        file: LOG,
        find: "    return this.term(id.index) === id.term;",
        replace: "    return this.term(id.index) === id.term || id.index <= this.lastIndex();",
      },
    ],
    seenBy: EVERYWHERE,
  },
  {
    name: "shorter-log-wins-election",
    breaks: "A candidate whose log ends sooner in the same term is voted for: committed entries are lost.",
    edits: [
      {
        file: LOG,
        find: "(last.term === own.term && last.index >= own.index)",
        replace: "last.term === own.term",
      },
    ],
    seenBy: EVERYWHERE,
  },
  {
    name: "vote-cast-twice-in-a-term",
    breaks: "A peer that has voted grants a second candidate its vote: two leaders in one term.",
    edits: [
      {
        file: ELECTION,
        find: "(raft.vote === 0 && raft.lead === 0) ||",
        replace: "raft.lead === 0 ||",
      },
    ],
    seenBy: EVERYWHERE,
  },
  {
    name: "heartbeat-commits-unmatched",
    breaks: "A heartbeat tells a follower to commit what it is not known to have.",
    edits: [
      {
        file: REPLICATION,
        find: "const commit = minIndex(progress.match, raft.log.committed);",
        replace: "const commit = raft.log.committed;",
      },
    ],
    seenBy: EVERYWHERE,
  },
  {
    name: "acknowledged-before-append",
    breaks: "The core lets append responses go before the entries are durable.",
    edits: [
      {
        file: "packages/rdb-raft/src/raft.ts",
        find: '      case "MsgAppResp":\n      case "MsgVoteResp":\n      case "MsgPreVoteResp":\n        return true;',
        replace: '      case "MsgVoteResp":\n      case "MsgPreVoteResp":\n        return true;',
      },
    ],
    seenBy: EVERYWHERE,
  },
  {
    name: "compacted-follower-gets-no-snapshot",
    breaks: "The log is cut past a follower, and nobody sends it a snapshot: it never catches up.",
    edits: [
      {
        file: REPLICATION,
        find: 'return logTerm !== "temporarily-unavailable" && maybeSendSnapshot(raft, to, progress);',
        replace: "return false;",
      },
    ],
    seenBy: EVERYWHERE,
  },
  {
    name: "transfer-to-lagging-peer",
    breaks:
      "A peer that lacks entries is told to campaign at once: it loses, and the leadership stands still.",
    edits: [
      {
        file: "packages/rdb-raft/src/transfer.ts",
        find: "if (progress.match === raft.log.lastIndex()) {",
        replace: "if (progress.match > 0) {",
      },
    ],
    seenBy: EVERYWHERE,
  },
];
