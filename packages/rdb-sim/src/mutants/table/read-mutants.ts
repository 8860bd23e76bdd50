import type { Mutant } from "../mutant.ts";

// Bugs in reads and leases: answers that are older than what was acknowledged before.

const LEASE = "packages/rdb-server/src/peer/lease.ts";
const READ_PATH = "packages/rdb-server/src/peer/read-path.ts";
const READ_INDEX = "packages/rdb-raft/src/read-index.ts";

export const readMutants: readonly Mutant[] = [
  {
    name: "read-index-without-quorum",
    breaks: "A leader confirms reads by itself: one that was deposed and does not know it serves old values.",
    edits: [
      {
        file: READ_INDEX,
        find: 'if (raft.config.readOnlyOption === "LeaseBased" || isOnlyVoter(raft)) {',
        replace: 'if (raft.config.readOnlyOption !== "LeaseBased" || isOnlyVoter(raft)) {',
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "read-index-before-own-term-commit",
    breaks: "A new leader answers reads at a commit index that may be behind its predecessor's.",
    edits: [
      {
        file: READ_INDEX,
        find: "  if (raft.committedEntryInCurrentTerm()) {",
        replace: "  if (raft.log.committed > 0) {",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "late-answer-confirms-later-read",
    breaks: "The answer to an earlier round confirms the reads that came after it.",
    edits: [
      {
        file: "packages/rdb-raft/src/pending-reads.ts",
        find: "this.#acks.set(id, Math.max(this.#acks.get(id) ?? 0, decodePosition(context)));",
        replace: "this.#acks.set(id, this.#confirmed + this.#unconfirmed.length);",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "read-before-apply",
    breaks: "A read is served before what it must see is applied.",
    edits: [
      {
        file: "packages/rdb-server/src/peer/read-queue.ts",
        find: "const due = this.#ready.filter((ready) => ready.index <= appliedIndex);",
        replace: "const due = this.#ready.filter((ready) => ready.index <= appliedIndex || !ready.onLease);",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "read-at-commit-instead-of-apply",
    breaks: "A read is served once its index is committed, though its effects are not visible yet.",
    edits: [
      {
        file: READ_PATH,
        find: "this.#queue.takeReady(this.#owner.node.appliedIndex)",
        replace: "this.#queue.takeReady(this.#owner.node.commitIndex)",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "lease-counted-from-receipt",
    breaks: "A lease begins when the answers arrive, not when they were asked for: it outlives the promise.",
    edits: [
      {
        file: READ_PATH,
        find: "this.lease.renew(sentMs, this.#owner.node.term);",
        replace: "this.lease.renew(this.#owner.clock.monotonicMs(), this.#owner.node.term);",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "lease-kept-during-transfer",
    breaks: "A leader that has told another to campaign goes on serving reads on its lease.",
    edits: [
      {
        file: "packages/rdb-server/src/peer/outbox.ts",
        find: '    if (message.type === "MsgTimeoutNow") {\n      lease.turnOff(node.term);\n    }\n',
        replace: "",
      },
      // Unused otherwise.
      {
        file: "packages/rdb-server/src/peer/outbox.ts",
        find: "const { context, node, lease } = this.#owner;",
        replace: "const { context, node } = this.#owner;",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "lease-used-after-timeout-now",
    breaks: "A lease is taken up again in a term in which TimeoutNow was sent, which may arrive late.",
    edits: [
      {
        file: LEASE,
        find: "    if (this.#leaseMs === 0 || term === this.#offInTerm) {",
        replace: "    if (this.#leaseMs === 0) {",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "vote-right-after-restart",
    breaks:
      "A Store votes at once after its start, though it may have acknowledged a lease that still holds.",
    edits: [
      {
        file: "packages/rdb-server/src/peer/peer-start.ts",
        find: "  const guards = takesOver || mayHaveRun(start);",
        replace: "  const guards = takesOver;",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "vote-in-spite-of-lease",
    breaks: "Followers in touch with their leader vote for another: its lease is worth nothing.",
    edits: [
      {
        file: "packages/rdb-raft/src/election.ts",
        find: "return !forced && checkQuorum && raft.lead !== 0 && raft.electionElapsed < electionTicks;",
        replace: "return !forced && checkQuorum && raft.lead === 0 && raft.electionElapsed < electionTicks;",
      },
    ],
    seenBy: ["conformance"],
  },
  {
    name: "promise-of-a-lease-broken",
    breaks: "Neither the core nor the peer before it keeps a follower that acknowledged a lease from voting.",
    edits: [
      {
        file: "packages/rdb-raft/src/election.ts",
        find: "return !forced && checkQuorum && raft.lead !== 0 && raft.electionElapsed < electionTicks;",
        replace: "return !forced && checkQuorum && raft.lead === 0 && raft.electionElapsed < electionTicks;",
      },
      {
        file: "packages/rdb-server/src/peer/peer.ts",
        find: 'if (message.type === "MsgHeartbeat" && message.term === this.#node.term) {',
        replace: 'if (message.type === "MsgHeartbeat" && message.term !== this.#node.term) {',
      },
    ],
    seenBy: ["simulator"],
  },
];
