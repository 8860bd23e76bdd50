import {
  type Clock,
  type Random,
  RdbError,
  type StoreId,
  assert,
  assertNever,
  peerOnStore,
} from "@flaredb/rdb-base";
import type { KvResponse, RegionError } from "@flaredb/rdb-proto";
import type { BackoffReason } from "./backoff.ts";
import { abortedError, answerLostError, deadlineError, undeterminedError } from "./call-errors.ts";
import { BothWatches, type CallWatch } from "./call-watch.ts";
import { CallsInFlight } from "./calls-in-flight.ts";
import { choosePeer } from "./choose-peer.ts";
import { KvCall, type KvCallSpec } from "./kv-call.ts";
import { MapKeeper } from "./map-keeper.ts";
import { Pauses } from "./pauses.ts";
import type { PdClient } from "./pd-client.ts";
import type { AnswerListener, StoreConnector } from "./ports.ts";
import { type RegionCache, type RegionEntry, findFor } from "./region-cache.ts";
import { readRegionError } from "./region-error.ts";
import type { ClientHooks } from "./hooks.ts";
import { HookCaller, RequestWatch } from "./request-watch.ts";
import { RegionLookup } from "./region-lookup.ts";
import { StorePool } from "./store-pool.ts";
import type { WriteSessions } from "./write-sessions.ts";

/** Answers that lead a call elsewhere at once; more of them in a row and it pauses first. */
const REDIRECT_MAX_COUNT = 4;
/** After this many pauses without a leader the placement driver is asked. */
const ASK_PD_AFTER_PAUSES = 2;

export interface RequestSenderOptions {
  readonly cache: RegionCache;
  readonly pd: PdClient;
  readonly connector: StoreConnector;
  readonly clock: Clock;
  readonly random: Random;
  readonly sessions: WriteSessions;
  readonly onAnswer?: AnswerListener | undefined;
  readonly hooks?: ClientHooks | undefined;
}

/**
 * Takes a call to the Store that can serve it and keeps at it until its deadline: routes, sends, acts on the answer.
 *
 * The rule for writes: as long as every attempt was refused, the next one is a new write. Once an attempt went without
 * an answer, all further ones are the same write, by its {@link WriteIdentity}: the Stores apply it once. When time
 * runs out then, it fails with RDB_UNDETERMINED_RESULT. Reads are sent again freely.
 */
export class RequestSender {
  /** What is known of the map; to be fed by whoever learns more. */
  readonly map: MapKeeper;
  readonly #cache: RegionCache;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #lookup: RegionLookup;
  readonly #pool: StorePool;
  readonly #inFlight: CallsInFlight;
  readonly #pauses: Pauses;
  readonly #sessions: WriteSessions;
  readonly #onAnswer: AnswerListener | undefined;
  readonly #hooks: HookCaller | undefined;
  #isClosed = false;

  constructor(options: RequestSenderOptions) {
    this.#cache = options.cache;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#sessions = options.sessions;
    this.#onAnswer = options.onAnswer;
    this.#hooks = options.hooks && new HookCaller(options.hooks, options.clock);
    this.#inFlight = new CallsInFlight(options.clock, (call) => this.#due(call));
    this.#pauses = new Pauses(options, (call) => this.#dispatch(call));
    this.#lookup = new RegionLookup(options, {
      onRoute: (answer) => this.map.learnRoute(answer.route, answer.stores),
      onReady: (call) => this.#dispatch(call),
    });
    this.#pool = new StorePool(options, {
      onAnswer: (call, answer) => this.#answered(call, answer),
      onClosed: (unsent, sent, error) => this.#streamClosed(unsent, sent, error),
      onBack: () => this.#pauses.wake(),
    });
    this.map = new MapKeeper(options.cache, this.#pool, () => this.#pauses.wake());
  }

  /**
   * Sends a call on its way; one of its callbacks tells how it ended.
   *
   * @param trace of a call that is traced
   */
  send(spec: KvCallSpec, trace?: CallWatch): void {
    const call = new KvCall(spec);
    if (this.#hooks === undefined) {
      call.watch = trace;
    } else {
      const watch = new RequestWatch(this.#hooks);
      call.watch = trace === undefined ? watch : new BothWatches(watch, trace);
    }
    const refusal = this.#refusal(call);
    if (refusal !== undefined) {
      this.#reject(call, call.isUncertain ? undeterminedError(call, refusal) : refusal);
      return;
    }
    if (spec.signal !== undefined) {
      call.onAbort = () => this.#giveUp(call, abortedError(call));
      spec.signal.addEventListener("abort", call.onAbort, { once: true });
    }
    this.#inFlight.add(call);
    this.#dispatch(call);
  }

  /** Fails what is in flight and ends every connection. */
  close(): void {
    this.#isClosed = true;
    const error = new RdbError("RDB_CLOSED", "the client was closed");
    for (const call of this.#inFlight.all()) {
      this.#giveUp(call, error);
    }
    this.#inFlight.stop();
    this.#pauses.close();
    this.#lookup.close();
    this.#pool.close();
  }

  #refusal({ spec }: KvCall): RdbError | undefined {
    if (this.#isClosed) {
      return new RdbError("RDB_CLOSED", `${spec.name}: the client is closed`);
    }
    if (spec.signal?.aborted === true) {
      return abortedError(new KvCall(spec));
    }
    return this.#inFlight.refusal(spec.name, spec.sizeBytes);
  }

  #dispatch(call: KvCall): void {
    if (call.state === "done") {
      return;
    }
    call.state = "idle";
    const entry = findFor(this.#cache, call.spec);
    if (entry === undefined) {
      call.state = "waiting";
      call.dueMs = call.spec.deadlineMs;
      this.#lookup.wait(call);
      return;
    }
    if (call.spec.admit?.(entry, call.identity) === false) {
      // An identity goes with it to whoever took over.
      call.identity = undefined;
      this.#finish(call);
      return;
    }
    const chosen = choosePeer(call, entry, this.#pool, this.#random);
    call.entry = entry;
    if (chosen === undefined) {
      const isReachable = entry.region.peers.some((peer) => this.#pool.canTry(peer.storeId));
      this.#pauseFor(call, isReachable ? "regionMiss" : "rpc");
      return;
    }
    call.fromFollower = chosen.fromFollower;
    this.#push(call, chosen.peer.storeId);
  }

  #push(call: KvCall, to: StoreId): void {
    call.storeId = to;
    call.attemptedMs = this.#clock.monotonicMs();
    call.dueMs = Math.min(call.spec.deadlineMs, call.attemptedMs + call.patienceMs);
    call.watch?.attempt(call, this.#pool.addressOf(to));
    call.stream = this.#pool.push(to, call);
    if (call.stream === undefined) {
      call.lastError = new RdbError("RDB_SERVER_IS_BUSY", `the queue to Store ${to} is full`);
      call.watch?.failed(call);
      this.#pauseFor(call, "busy");
      return;
    }
    this.#inFlight.watch(call.dueMs);
  }

  #answered(call: KvCall, answer: KvResponse): void {
    const { entry, storeId: from } = call;
    assert(entry !== undefined && from !== undefined, "an answered call was sent");
    call.stream = undefined;
    const { result } = answer;
    if (result.case === "error") {
      this.#refused(call, from, result.value);
      return;
    }
    if (result.case === undefined) {
      this.#giveUp(call, new RdbError("RDB_INTERNAL", `Store ${from} sent an answer that is not known here`));
      return;
    }
    if (!call.fromFollower && entry.leader?.storeId !== from) {
      this.map.learnLeader(entry.region.id, peerOnStore(entry.region, from));
    }
    const { id } = entry.region;
    this.#onAnswer?.({
      command: call.spec.command,
      result,
      regionId: id,
      storeId: from,
      sequence: call.identity?.sequence,
      attemptCount: call.attemptCount,
    });
    this.#finish(call);
    call.watch?.end(call, "ok");
    call.spec.resolve(result, id);
  }

  #refused(call: KvCall, by: StoreId, wire: RegionError): void {
    const { advice, error } = readRegionError(wire);
    call.lastError = error;
    call.watch?.failed(call);
    if (advice.kind === "unknownOutcome") {
      call.lose();
    } else {
      call.state = "idle";
      this.#dropIdentity(call);
    }
    switch (advice.kind) {
      case "notLeader":
        this.#notLeader(call, by, this.map.takeHint(regionOf(call).region.id, by, advice, call.tried));
        return;
      case "newRegions":
        this.map.takeRegions(by, advice);
        this.#mapChanged(call);
        return;
      case "noSuchRegion":
        this.#lookup.refresh(call, regionOf(call).region.id);
        this.#elsewhere(call, by);
        return;
      case "wrongStore":
        this.#pool.forget(by);
        this.#lookup.refresh(call, regionOf(call).region.id);
        this.#elsewhere(call, by);
        return;
      case "busy":
        this.#pauseFor(call, "busy", advice.backoffMs);
        return;
      case "dataCorrupt":
        // The others have the same data; a follower's read is as fresh as the leader's.
        call.readFrom = call.spec.isWrite ? "leader" : "follower";
        this.#elsewhere(call, by);
        return;
      case "expired":
        this.#sessions.learnLogTime(regionOf(call).region.id, advice.logTimeMs);
        this.#refusedForItsTime(call, advice.logTimeMs, error);
        return;
      case "closed":
        this.#refusedForGood(call, error);
        return;
      case "invalid":
        this.#giveUp(call, error);
        return;
      case "answerLost":
        this.#finish(call);
        this.#reject(call, answerLostError(call, error));
        return;
      case "unknownOutcome":
        this.#elsewhere(call, by);
        return;
      default:
        assertNever(advice, "advice");
    }
  }

  /** The attempt was refused: unless an earlier one may have been applied, the next one is a new write. */
  #dropIdentity(call: KvCall): void {
    if (call.identity?.isUncertain === false) {
      call.identity.close();
      call.identity = undefined;
    }
  }

  /** A write that came too late stays so; what is ahead of log time is in time soon, and sent again if it must be the same. */
  #refusedForItsTime(call: KvCall, logTimeMs: number, error: RdbError): void {
    const aheadMs = Number(call.identity?.issuedAtMs ?? 0n) - logTimeMs;
    if (call.isUncertain && aheadMs > 0) {
      this.#pauseFor(call, "regionMiss");
    } else {
      this.#refusedForGood(call, error);
    }
  }

  /** No further attempt of the same write can succeed: issued anew if that is safe, else what it came to is not known. */
  #refusedForGood(call: KvCall, error: RdbError): void {
    call.redirectCount++;
    if (call.isUncertain) {
      this.#giveUp(call, error);
    } else if (call.redirectCount <= REDIRECT_MAX_COUNT) {
      this.#dispatch(call);
    } else {
      this.#pauseFor(call, "regionMiss");
    }
  }

  #notLeader(call: KvCall, by: StoreId, hint: ReturnType<MapKeeper["takeHint"]>): void {
    if (hint === "unknown peer") {
      this.#lookup.refresh(call, regionOf(call).region.id);
    }
    // With a hint that can be followed this goes to the leader; what said no is not asked again in this round, so
    // that peers that name each other cannot send the call around in circles.
    this.#elsewhere(call, by);
  }

  /** At once to the Region that has the key now; but not for ever, should the Stores contradict each other. */
  #mapChanged(call: KvCall): void {
    const before = regionOf(call);
    const now = findFor(this.#cache, call.spec);
    call.redirectCount++;
    if (now !== before && call.redirectCount <= REDIRECT_MAX_COUNT) {
      this.#dispatch(call);
      return;
    }
    // Either side may be the one that is behind: the Store catches up, or the placement driver knows better.
    this.#lookup.refresh(call, before.region.id);
    this.#pauseFor(call, "regionMiss");
  }

  /** The Store cannot serve the call now: to another peer, or a pause when all were tried. */
  #elsewhere(call: KvCall, notTo: StoreId): void {
    call.tried.push(notTo);
    this.#dispatch(call);
  }

  #pauseFor(call: KvCall, reason: BackoffReason, toldMs = 0): void {
    call.dueMs = call.spec.deadlineMs;
    this.#pauses.begin(call, reason, toldMs);
    const { entry, backoff } = call;
    const pauseCount = (backoff?.count("regionMiss") ?? 0) + (backoff?.count("rpc") ?? 0);
    if (entry !== undefined && pauseCount > ASK_PD_AFTER_PAUSES) {
      this.#lookup.refresh(call, entry.region.id);
    }
  }

  #streamClosed(unsent: readonly KvCall[], sent: readonly KvCall[], error: RdbError | undefined): void {
    const reason = error ?? new RdbError("RDB_UNAVAILABLE", "the Store ended the stream");
    for (const call of sent) {
      this.#unreached(call, reason);
    }
    for (const call of unsent) {
      this.#unreached(call, reason);
    }
  }

  /** The Store will not answer: at once to another peer. */
  #unreached(call: KvCall, reason: RdbError): void {
    assert(call.storeId !== undefined, "a call on a stream has its Store");
    call.lose();
    call.lastError = reason;
    call.watch?.failed(call);
    this.#elsewhere(call, call.storeId);
  }

  #due(call: KvCall): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= call.spec.deadlineMs) {
      this.#giveUp(call, deadlineError(call));
      return;
    }
    // A Store that answers others is at work. A write would only come to stand behind them once more.
    const heardMs = call.spec.isWrite ? (call.stream?.heardMs ?? -Infinity) : -Infinity;
    const silentMs = Math.max(call.attemptedMs, heardMs) + call.patienceMs;
    if (silentMs > nowMs) {
      call.dueMs = Math.min(call.spec.deadlineMs, silentMs);
      this.#inFlight.watch(call.dueMs);
      return;
    }
    call.stream?.forget(call);
    const late = `Store ${call.storeId} did not answer within ${call.patienceMs} ms`;
    call.losePatience();
    this.#unreached(call, new RdbError("RDB_UNAVAILABLE", late));
  }

  /** Ends a call with an error; a write that may have been applied, with what that means for it. */
  #giveUp(call: KvCall, error: RdbError): void {
    const { isUncertain } = call;
    this.#finish(call);
    this.#reject(call, isUncertain ? undeterminedError(call, error) : error);
  }

  #reject(call: KvCall, error: RdbError): void {
    call.watch?.end(call, error.code);
    call.spec.reject(error);
  }

  #finish(call: KvCall): void {
    assert(call.state !== "done", "a call ends once");
    if (call.state === "waiting") {
      this.#pauses.forget(call);
      this.#lookup.forget(call);
    }
    call.stream?.forget(call);
    call.stream = undefined;
    call.state = "done";
    if (call.identity !== call.spec.identity) {
      call.identity?.close();
    }
    this.#inFlight.remove(call);
    if (call.onAbort !== undefined) {
      call.spec.signal?.removeEventListener("abort", call.onAbort);
    }
  }
}

/** The Region that the last attempt was addressed to. */
function regionOf(call: KvCall): RegionEntry {
  assert(call.entry !== undefined, "a call that was sent has its Region");
  return call.entry;
}
