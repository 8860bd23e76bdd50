import type { Clock, Random, RegionId } from "@flaredb/rdb-base";
import type { ClientSession } from "@flaredb/rdb-proto";
import { LogTimes } from "./log-times.ts";
import { OpenWrites, WriteIdentity } from "./open-writes.ts";
import type { RegionEntry } from "./region-cache.ts";

/** Sequences of one session: what a uint32 holds, less far more than one message ever takes. */
const SEQUENCE_MAX_COUNT = 2 ** 32 - 2 ** 20;
/** A client goes on as another after this. */
const SESSION_MAX_AGE_MS = 24 * 3_600_000;
/** What a session that gets no new sequences says to be open: nothing more is closed by it. */
const NOTHING_CLOSED = 1;

/** Sequences under one client id. */
export class WriteSession {
  readonly clientId: bigint;
  /** When it began, on the monotonic clock. */
  readonly startedMs: number;
  nextSequence: number;
  /** Writes that were last addressed to a Region of the map as it is. They hold that Region's floor. */
  readonly byRegion = new Map<RegionEntry, OpenWrites>();
  /** Writes whose Region the map has forgotten. They may go to any Region now, so they hold every floor. */
  readonly homeless = new OpenWrites();

  constructor(clientId: bigint, startedMs: number, firstSequence: number) {
    this.clientId = clientId;
    this.startedMs = startedMs;
    this.nextSequence = firstSequence;
  }
}

/**
 * Gives writes their identities, and tells each Region which of them are closed there.
 *
 * The floor of a Region, below which nothing is ever sent to it again, is the lowest sequence that is open there, or
 * open in a Region that the map has forgotten, or else the next to be given. It holds because a write stays with the
 * Region that it was addressed to until the map forgets that Region, and only then may another one hold its keys: a
 * Region that the map learns instead has heard no floor but that of the one it came from.
 */
export class WriteSessions {
  readonly #random: Random;
  readonly #logTimes: LogTimes;
  readonly #firstSequence: number;
  /** Regions that the map no longer has; calls that are queued may still name them. */
  readonly #forgotten = new WeakSet<RegionEntry>();
  #current: WriteSession;

  /** @param options.firstSequence default 1; higher in tests of what happens when sequences run out */
  constructor(options: { readonly clock: Clock; readonly random: Random; readonly firstSequence?: number }) {
    this.#random = options.random;
    this.#logTimes = new LogTimes(options.clock);
    this.#firstSequence = options.firstSequence ?? 1;
    this.#current = new WriteSession(
      drawClientId(options.random),
      options.clock.monotonicMs(),
      this.#firstSequence,
    );
  }

  /**
   * Begins the part of a message that goes to one Region.
   *
   * @param nowMs on the monotonic clock
   */
  issue(entry: RegionEntry, nowMs: number): RegionIssue {
    if (
      this.#current.nextSequence > SEQUENCE_MAX_COUNT ||
      nowMs - this.#current.startedMs > SESSION_MAX_AGE_MS
    ) {
      this.#current = new WriteSession(drawClientId(this.#random), nowMs, 1);
    }
    const session = this.#current;
    const open = this.#openAt(session, entry);
    const { nextSequence, homeless } = session;
    const floor = Math.min(open.lowest ?? nextSequence, homeless.lowest ?? nextSequence);
    return new RegionIssue(session, floor, open, BigInt(this.#logTimes.estimateMs(entry.region.id, nowMs)));
  }

  /** What goes with a write of a session that may not be the current one any more. */
  headerOf(session: WriteSession, entry: RegionEntry, nowMs: number): ClientSession {
    return session === this.#current
      ? this.issue(entry, nowMs).header
      : sessionHeader(session, NOTHING_CLOSED);
  }

  /** The map has replaced or forgotten the Region: its open writes may go anywhere. */
  forget(entry: RegionEntry): void {
    this.#forgotten.add(entry);
    const { byRegion, homeless } = this.#current;
    const open = byRegion.get(entry);
    if (open !== undefined) {
      byRegion.delete(entry);
      homeless.absorb(open);
    }
  }

  /** A Region refused a write for the time at which it was issued. */
  learnLogTime(id: RegionId, logTimeMs: number): void {
    this.#logTimes.learn(id, logTimeMs);
  }

  #openAt(session: WriteSession, entry: RegionEntry): OpenWrites {
    const known = session.byRegion.get(entry);
    if (known !== undefined) {
      return known;
    }
    if (this.#forgotten.has(entry)) {
      return session.homeless;
    }
    const open = new OpenWrites();
    session.byRegion.set(entry, open);
    return open;
  }
}

/** The writes of one message to one Region: they share its header and the time of issue. */
export class RegionIssue {
  readonly session: WriteSession;
  readonly header: ClientSession;
  readonly #open: OpenWrites;
  readonly #issuedAtMs: bigint;

  constructor(session: WriteSession, floor: number, open: OpenWrites, issuedAtMs: bigint) {
    this.session = session;
    this.header = sessionHeader(session, floor);
    this.#open = open;
    this.#issuedAtMs = issuedAtMs;
  }

  /** The identity of a write that is sent for the first time. Whoever gets it closes it. */
  open(): WriteIdentity {
    const write = new WriteIdentity(this.session, this.session.nextSequence++, this.#issuedAtMs);
    this.#open.append(write);
    return write;
  }
}

function sessionHeader(session: WriteSession, floor: number): ClientSession {
  return { $typeName: "rdb.v1.ClientSession", clientId: session.clientId, lowestOpenSequence: floor };
}

/** A safe integer that no other client draws; never 0. */
function drawClientId(random: Random): bigint {
  const high = random.nextInt(2 ** 21);
  const low = random.nextInt(2 ** 31) * 2 + random.nextInt(2);
  return BigInt(Math.max(1, high * 2 ** 32 + low));
}
