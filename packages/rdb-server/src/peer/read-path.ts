import type { Clock, PeerId, Region } from "@flaredb/rdb-base";
import type { RegionError } from "@flaredb/rdb-proto";
import type { RawNode, ReadState } from "@flaredb/rdb-raft";
import type { Engine } from "@flaredb/rdb-storage";
import type { StoreMetrics } from "../metrics/store-metrics.ts";
import { LeaderLease } from "./lease.ts";
import type { Caller, ServedBy } from "./proposal-queue.ts";
import { type PendingRead, ReadQueue, type ReadyRead } from "./read-queue.ts";
import { keyOutsideRegion } from "./request-keys.ts";
import { errorResponse, keyNotInRegion, response, serverIsBusy, staleCommand } from "./responses.ts";
import { type ReadScope, serveBatchGet, serveGets, serveScan } from "./serve-read.ts";

/** Suggested pause for a client whose read found a full queue. */
const BUSY_BACKOFF_MS = 20;
/** A lease that is used is renewed this often, at most. */
const RENEW_INTERVAL_MS = 100;

/** What the read path works on. */
export interface ReadPathOwner {
  readonly peerId: PeerId;
  /** Differs between starts of the process, so that a late answer to a former start is not taken. */
  readonly bootNonce: string;
  readonly clock: Clock;
  readonly metrics: Pick<StoreMetrics, "reads" | "readRounds">;
  readonly engine: Engine;
  readonly node: RawNode;
  /** Undefined once the peer is gone or its content is being replaced. */
  region(): Region | undefined;
  revision(): number;
  /** How often a snapshot replaced the content. */
  installCount(): number;
  leaderHint(): RegionError;
  /** The refusal of what was asked of another version of the Region. */
  epochNotMatch(version: number): RegionError;
  /** Rows could not be read, for whatever reason. */
  readFailed(error: unknown): void;
}

/**
 * Reads on their way: on the lease, or through a round of ReadIndex, then waiting until what they must see is
 * applied, then served. Lease, epoch and range are checked at the moment of serving (DESIGN §6).
 */
export class ReadPath {
  readonly lease: LeaderLease;
  /** What was read since the peer started. */
  readonly counts = { readKeys: 0, readBytes: 0 };
  readonly #owner: ReadPathOwner;
  readonly #queue: ReadQueue;
  readonly #scope: ReadScope;
  #roundCount = 0;
  #lastRoundMs = Number.NEGATIVE_INFINITY;

  constructor(owner: ReadPathOwner, options: { readonly leaseMs: number; readonly queueMaxCount: number }) {
    this.#owner = owner;
    this.#queue = new ReadQueue(options.queueMaxCount);
    this.lease = new LeaderLease(options.leaseMs);
    this.#scope = {
      engine: owner.engine,
      region: () => owner.region(),
      revision: () => owner.revision(),
      installCount: () => owner.installCount(),
      served: (keys, bytes) => {
        this.counts.readKeys += keys;
        this.counts.readBytes += bytes;
      },
      epochNotMatch: (version) => owner.epochNotMatch(version),
      readFailed: (error) => owner.readFailed(error),
    };
  }

  get waitingCount(): number {
    return this.#queue.count;
  }

  /** Takes a checked read of a leader, or one that this peer serves as a follower. */
  accept(read: PendingRead): void {
    const { node, clock } = this.#owner;
    const onLease = !read.fromFollower && this.lease.isValid(clock.monotonicMs(), node.term);
    const taken = onLease ? this.#queue.addOnLease(read, node.commitIndex) : this.#queue.gather(read);
    if (!taken) {
      const error = serverIsBusy("the read queue of the Region is full", BUSY_BACKOFF_MS);
      read.caller.respond(errorResponse(read.caller.requestId, error));
    }
  }

  /** Makes a round when reads wait for one, or when those served on the lease would soon find it ended. */
  flush(): void {
    const { node, clock, metrics } = this.#owner;
    const nowMs = clock.monotonicMs();
    const renew =
      this.#queue.hasReady && node.isLeader && this.#roundIsDue(nowMs) && this.lease.isEnding(nowMs);
    if (!renew && !this.#queue.needsRound(nowMs)) {
      return;
    }
    metrics.readRounds.value++;
    const context = `${this.#owner.bootNonce}:${this.#owner.peerId}:${++this.#roundCount}`;
    this.#queue.beginRound(context, nowMs);
    this.#lastRoundMs = nowMs;
    node.readIndex(new TextEncoder().encode(context));
  }

  /** One renewal at a time is enough. */
  #roundIsDue(nowMs: number): boolean {
    return nowMs - this.#lastRoundMs >= RENEW_INTERVAL_MS;
  }

  /** The core's answers to rounds. */
  completeRounds(readStates: readonly ReadState[]): void {
    for (const { requestContext, index } of readStates) {
      const sentMs = this.#queue.completeRound(new TextDecoder().decode(requestContext), index);
      if (sentMs !== undefined && this.#owner.node.isLeader) {
        this.lease.renew(sentMs, this.#owner.node.term);
      }
    }
  }

  /** Serves what may be served now. Called after the inbox was drained and entries were applied. */
  serve(): void {
    if (!this.#queue.hasReady) {
      return;
    }
    const region = this.#owner.region();
    const nowMs = this.#owner.clock.monotonicMs();
    const gets: PendingRead[] = [];
    for (const ready of this.#queue.takeReady(this.#owner.node.appliedIndex)) {
      if (!this.#stillHolds(ready, nowMs)) {
        this.#startAgain(ready.read);
      } else if (!this.#refuse(ready.read, region)) {
        const by = servedBy(ready);
        ready.read.caller.servedMs = nowMs;
        ready.read.caller.readBy?.(by);
        this.#owner.metrics.reads[by].value++;
        this.#serveOne(ready.read, gets);
      }
    }
    if (gets.length > 0) {
      void serveGets(this.#scope, gets.map(pointRead));
    }
  }

  /** Leadership was lost or the term changed: rounds are void, and what only a leader serves is refused. */
  leaderChanged(): void {
    this.lease.expire();
    this.#queue.abandonRounds();
    if (!this.#owner.node.isLeader) {
      this.#refuseWhere((read) => !read.fromFollower, this.#owner.leaderHint());
    }
  }

  /** Refuses reads whose callers stopped waiting. */
  expire(nowMs: number): void {
    if (this.#queue.count > 0) {
      this.#refuseWhere(
        (read) => read.caller.deadlineMs <= nowMs,
        staleCommand("time ran out before the read was served"),
      );
    }
  }

  stop(): void {
    this.#refuseWhere(() => true, this.#owner.leaderHint());
  }

  /** A read that waited on the lease may find it ended: it starts again, with a round. */
  #stillHolds(ready: ReadyRead, nowMs: number): boolean {
    if (ready.read.fromFollower) {
      return true;
    }
    const { node } = this.#owner;
    return ready.onLease ? this.lease.isValid(nowMs, node.term) : node.isLeader;
  }

  #startAgain(read: PendingRead): void {
    if (this.#owner.node.isLeader) {
      this.accept(read);
    } else {
      read.caller.respond(errorResponse(read.caller.requestId, this.#owner.leaderHint()));
    }
  }

  #refuse(read: PendingRead, region: Region | undefined): boolean {
    const error = region === undefined ? this.#owner.leaderHint() : this.#readRefusal(read, region);
    if (error !== undefined) {
      read.caller.respond(errorResponse(read.caller.requestId, error));
    }
    return error !== undefined;
  }

  #readRefusal(read: PendingRead, region: Region): RegionError | undefined {
    if (read.epochVersion !== region.epoch.version) {
      return this.#owner.epochNotMatch(read.epochVersion);
    }
    const outside = keyOutsideRegion(read.command, region);
    return outside === undefined ? undefined : keyNotInRegion(outside, region);
  }

  #serveOne(read: PendingRead, gets: PendingRead[]): void {
    const { caller, command } = read;
    if (command.case === "get") {
      gets.push(read);
    } else if (command.case === "batchGet") {
      void serveBatchGet(this.#scope, command.value.keys).then((result) => respond(caller, result));
    } else if (command.case === "scan") {
      void serveScan(this.#scope, command.value).then((result) => respond(caller, result));
    }
  }

  #refuseWhere(isOver: (read: PendingRead) => boolean, error: RegionError): void {
    for (const { caller } of this.#queue.takeWhere(isOver)) {
      caller.respond(errorResponse(caller.requestId, error));
    }
  }
}

function servedBy({ read, onLease }: ReadyRead): ServedBy {
  if (read.fromFollower) {
    return "follower";
  }
  return onLease ? "lease" : "read_index";
}

function respond(caller: Caller, result: Parameters<typeof response>[1]): void {
  caller.respond(response(caller.requestId, result));
}

function pointRead(read: PendingRead): Parameters<typeof serveGets>[1][number] {
  const { caller, command } = read;
  const key = command.case === "get" ? command.value.key : new Uint8Array(0);
  return { requestId: caller.requestId, key, respond: (answer) => caller.respond(answer) };
}
