import {
  type Clock,
  type Peer,
  type Random,
  RdbError,
  type StoreId,
  assert,
  assertNever,
  peerOnStore,
  storeId,
} from "@flaredb/rdb-base";
import type { KvResponse, RegionError, RegionRoute, Store } from "@flaredb/rdb-proto";
import { Backoff, type BackoffReason } from "./backoff.ts";
import { abortedError, deadlineError, undeterminedError } from "./call-errors.ts";
import { DeadlineList } from "./deadline-list.ts";
import { KvCall, type KvCallSpec } from "./kv-call.ts";
import { choosePeer } from "./choose-peer.ts";
import type { PdClient } from "./pd-client.ts";
import type { StoreConnector } from "./ports.ts";
import { type RegionCache, type RegionEntry, findFor } from "./region-cache.ts";
import { type RegionAdvice, readRegionError, readRoute } from "./region-error.ts";
import { RegionLookup } from "./region-lookup.ts";
import { StorePool } from "./store-pool.ts";

/** How long one Store may take to answer a read before another peer is asked. */
export const READ_ATTEMPT_MAX_MS = 2_000;
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
}

/**
 * Takes a call to the Store that can serve it and keeps at it until its deadline: routes, sends, acts on the answer.
 *
 * The rule for writes: once handed to a socket, a write is sent again only after an answer that says that it was not
 * applied. Without an answer it fails with RDB_UNDETERMINED_RESULT. Reads are sent again freely.
 */
export class RequestSender {
  readonly #cache: RegionCache;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #lookup: RegionLookup;
  readonly #pool: StorePool;
  readonly #deadlines: DeadlineList;
  /** Calls that pause; news of their Region wakes them early. */
  readonly #pausing = new Set<KvCall>();
  #isClosed = false;

  constructor(options: RequestSenderOptions) {
    this.#cache = options.cache;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#deadlines = new DeadlineList(options.clock, (call) => this.#due(call));
    this.#lookup = new RegionLookup(options, {
      onRoute: (answer) => this.learnRoute(answer.route, answer.stores),
      onReady: (call) => this.#dispatch(call),
    });
    this.#pool = new StorePool(options, {
      onAnswer: (call, answer) => this.#answered(call, answer),
      onClosed: (unsent, sent, error) => this.#streamClosed(unsent, sent, error),
      onBack: () => this.#wakeAll(),
    });
  }

  /** Sends a call on its way; one of its callbacks tells how it ended. */
  send(spec: KvCallSpec): void {
    const call = new KvCall(spec);
    if (this.#isClosed) {
      spec.reject(new RdbError("RDB_CLOSED", `${spec.name}: the client is closed`));
      return;
    }
    if (spec.signal !== undefined) {
      if (spec.signal.aborted) {
        spec.reject(abortedError(call));
        return;
      }
      call.onAbort = () => this.#aborted(call);
      spec.signal.addEventListener("abort", call.onAbort, { once: true });
    }
    this.#deadlines.add(call);
    this.#dispatch(call);
  }

  /** Takes over what the placement driver says of a Region, and of the Stores of its peers. */
  learnRoute(wire: RegionRoute | undefined, stores: readonly Store[]): void {
    for (const store of stores) {
      this.learnStore(store);
    }
    const route = readRoute(wire);
    if (route === undefined) {
      return;
    }
    const { region } = route;
    let isNews = this.#cache.insert(region);
    const leader = this.#cache.byId(region.id)?.leader;
    // What a Store said is younger than what PD heard, unless that Store is gone.
    if (route.leader !== undefined && (leader === undefined || !this.#pool.canTry(leader.storeId))) {
      isNews = this.#cache.setLeader(region.id, route.leader) || isNews;
    }
    if (isNews) {
      this.#wakeAll();
    }
  }

  learnStore(store: { readonly id: bigint; readonly address: string }): void {
    this.#pool.learn(storeId(store.id), store.address);
  }

  /** Fails what is in flight and ends every connection. */
  close(): void {
    this.#isClosed = true;
    const error = new RdbError("RDB_CLOSED", "the client was closed");
    for (const call of this.#deadlines.all()) {
      this.#giveUp(call, error);
    }
    this.#deadlines.stop();
    this.#lookup.close();
    this.#pool.close();
  }

  #dispatch(call: KvCall): void {
    if (call.state === "done") {
      return;
    }
    call.state = "idle";
    const entry = findFor(this.#cache, call.spec);
    if (entry === undefined) {
      call.state = "waiting";
      this.#lookup.wait(call);
      return;
    }
    if (call.spec.admit?.(entry) === false) {
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
    const { deadlineMs, isWrite } = call.spec;
    call.storeId = to;
    call.dueMs = isWrite ? deadlineMs : Math.min(deadlineMs, this.#clock.monotonicMs() + READ_ATTEMPT_MAX_MS);
    call.stream = this.#pool.push(to, call);
    if (call.stream === undefined) {
      call.lastError = new RdbError("RDB_SERVER_IS_BUSY", `the queue to Store ${to} is full`);
      this.#pauseFor(call, "busy");
      return;
    }
    this.#deadlines.watch(call.dueMs);
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
      this.#leads(entry.region.id, peerOnStore(entry.region, from));
    }
    this.#finish(call);
    call.spec.resolve(result);
  }

  #refused(call: KvCall, by: StoreId, wire: RegionError): void {
    const { advice, error } = readRegionError(wire);
    call.lastError = error;
    if (advice.kind === "unknownOutcome" && call.spec.isWrite) {
      this.#giveUp(call, error);
      return;
    }
    // From here on the promise is that the call was not applied.
    call.state = "idle";
    switch (advice.kind) {
      case "notLeader":
        this.#followHint(call, by, advice);
        return;
      case "newRegions":
        this.#takeRegions(call, by, advice);
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
      case "invalid":
        this.#finish(call);
        call.spec.reject(error);
        return;
      case "unknownOutcome":
        this.#elsewhere(call, by);
        return;
      default:
        assertNever(advice, "advice");
    }
  }

  #followHint(call: KvCall, by: StoreId, advice: RegionAdvice & { readonly kind: "notLeader" }): void {
    const { region } = regionOf(call);
    const { leader, leaderAddress } = advice;
    if (leader !== undefined && leader.storeId !== by && !call.tried.includes(leader.storeId)) {
      if (!this.#pool.canTry(leader.storeId)) {
        this.#pool.learn(leader.storeId, leaderAddress);
      }
      const isPeer = region.peers.some((peer) => peer.id === leader.id);
      if (isPeer && this.#pool.canTry(leader.storeId)) {
        this.#leads(region.id, leader);
        this.#redirect(call);
        return;
      }
      if (!isPeer) {
        this.#lookup.refresh(call, region.id);
      }
    }
    if (this.#cache.byId(region.id)?.leader?.storeId === by) {
      this.#cache.setLeader(region.id, undefined);
    }
    this.#elsewhere(call, by);
  }

  #takeRegions(call: KvCall, by: StoreId, advice: RegionAdvice & { readonly kind: "newRegions" }): void {
    const before = regionOf(call);
    let isNews = false;
    for (const region of advice.regions) {
      const known = this.#cache.byId(region.id)?.leader;
      // The peer that led before a split leads both Regions after it.
      isNews = this.#cache.insert(region, known ?? peerOnStore(region, by)) || isNews;
    }
    if (isNews) {
      this.#wakeAll();
    }
    const now = findFor(this.#cache, call.spec);
    if (now !== undefined && now !== before) {
      this.#redirect(call);
      return;
    }
    // Either side may be the one that is behind: the Store catches up, or the placement driver knows better.
    this.#lookup.refresh(call, before.region.id);
    this.#pauseFor(call, "regionMiss");
  }

  /** An answer says where to go: at once, but not around in circles. */
  #redirect(call: KvCall): void {
    call.redirectCount++;
    if (call.redirectCount > REDIRECT_MAX_COUNT) {
      this.#pauseFor(call, "regionMiss");
    } else {
      this.#dispatch(call);
    }
  }

  /** The Store cannot serve the call now: to another peer, or a pause when all were tried. */
  #elsewhere(call: KvCall, notTo: StoreId): void {
    call.tried.push(notTo);
    this.#dispatch(call);
  }

  #pauseFor(call: KvCall, reason: BackoffReason, toldMs = 0): void {
    call.backoff ??= new Backoff(this.#random);
    const delayMs = call.backoff.nextMs(reason, toldMs);
    if (call.backoff.count("regionMiss") + call.backoff.count("rpc") > ASK_PD_AFTER_PAUSES && call.entry) {
      this.#lookup.refresh(call, call.entry.region.id);
    }
    call.state = "waiting";
    call.dueMs = call.spec.deadlineMs;
    call.pauseReason = reason;
    this.#pausing.add(call);
    call.timer = this.#clock.setTimer(delayMs, () => this.#resume(call));
  }

  #resume(call: KvCall): void {
    call.timer?.cancel();
    this.#pausing.delete(call);
    call.tried.length = 0;
    call.redirectCount = 0;
    this.#dispatch(call);
  }

  /** There is news: whoever waits for the map or a leader tries now. Who was told to wait waits on. */
  #wakeAll(): void {
    // A copy: who finds nothing better pauses again.
    for (const call of [...this.#pausing]) {
      if (call.pauseReason !== "busy" && call.state === "waiting") {
        this.#resume(call);
      }
    }
  }

  #leads(region: RegionEntry["region"]["id"], leader: Peer | undefined): void {
    if (leader !== undefined && this.#cache.setLeader(region, leader)) {
      this.#wakeAll();
    }
  }

  #streamClosed(unsent: readonly KvCall[], sent: readonly KvCall[], error: RdbError | undefined): void {
    const reason = error ?? new RdbError("RDB_UNAVAILABLE", "the Store ended the stream");
    for (const call of sent) {
      call.stream = undefined;
      if (call.spec.isWrite) {
        this.#giveUp(call, reason);
      } else {
        this.#unreached(call, reason);
      }
    }
    for (const call of unsent) {
      call.stream = undefined;
      this.#unreached(call, reason);
    }
  }

  #unreached(call: KvCall, reason: RdbError): void {
    assert(call.storeId !== undefined, "a call on a stream has its Store");
    call.lastError = reason;
    call.state = "idle";
    this.#elsewhere(call, call.storeId);
  }

  #due(call: KvCall): void {
    if (this.#clock.monotonicMs() >= call.spec.deadlineMs) {
      this.#giveUp(call, deadlineError(call));
      return;
    }
    call.stream?.forget(call);
    call.stream = undefined;
    this.#unreached(
      call,
      new RdbError(
        "RDB_UNAVAILABLE",
        `Store ${call.storeId} did not answer within ${READ_ATTEMPT_MAX_MS} ms`,
      ),
    );
  }

  #aborted(call: KvCall): void {
    this.#giveUp(call, abortedError(call));
  }

  /** Ends a call with an error; a write that was sent, with what that means for it. */
  #giveUp(call: KvCall, error: RdbError): void {
    const isUndetermined = call.state === "sent" && call.spec.isWrite;
    this.#finish(call);
    call.spec.reject(isUndetermined ? undeterminedError(call, error) : error);
  }

  #finish(call: KvCall): void {
    assert(call.state !== "done", "a call ends once");
    if (call.state === "waiting") {
      call.timer?.cancel();
      this.#pausing.delete(call);
      this.#lookup.forget(call);
    }
    call.stream?.forget(call);
    call.stream = undefined;
    call.state = "done";
    this.#deadlines.remove(call);
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
