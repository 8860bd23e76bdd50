import { type StoreId, assert } from "@flaredb/rdb-base";
import {
  type BatchRequest,
  type ClientSession,
  type KvRequest,
  ReadFrom,
  type RegionRequests,
} from "@flaredb/rdb-proto";
import type { KvCall } from "./kv-call.ts";
import type { WriteIdentity } from "./open-writes.ts";
import type { RegionEntry } from "./region-cache.ts";
import type { RegionIssue, WriteSessions } from "./write-sessions.ts";

/** Of a call that reads: it has no identity. */
const NO_SEQUENCE = 0;
const NO_TIME = 0n;

/** One message to a Store: requests grouped by Region, writes with their identities. */
export class RequestGroups {
  readonly #storeId: StoreId;
  readonly #sessions: WriteSessions;
  /** On the monotonic clock. */
  readonly #nowMs: number;
  readonly #regions: RegionRequests[] = [];
  readonly #byEntry = new Map<RegionEntry, KvCall[]>();

  constructor(to: StoreId, sessions: WriteSessions, nowMs: number) {
    this.#storeId = to;
    this.#sessions = sessions;
    this.#nowMs = nowMs;
  }

  /** The call is sent with this message. */
  add(call: KvCall): void {
    const { entry } = call;
    assert(entry !== undefined, "a queued call has its Region");
    const calls = this.#byEntry.get(entry);
    if (calls === undefined) {
      this.#byEntry.set(entry, [call]);
    } else {
      calls.push(call);
    }
  }

  /**
   * The message, once; undefined when there is nothing to send. A write that has no identity yet gets one. Those of one
   * Region get sequences that follow one another, which are one run in its log, wherever calls to other Regions stand
   * between them.
   */
  message(): BatchRequest | undefined {
    for (const [entry, calls] of this.#byEntry) {
      this.#addRegion(entry, calls);
    }
    return this.#regions.length === 0
      ? undefined
      : { $typeName: "rdb.v1.BatchRequest", regions: this.#regions };
  }

  #addRegion(entry: RegionEntry, calls: readonly KvCall[]): void {
    const wire = this.#begin(entry);
    let issue: RegionIssue | undefined;
    for (const call of calls) {
      if (!call.spec.isWrite) {
        wire.requests.push(this.#request(call, undefined));
        continue;
      }
      issue ??= this.#issue(entry, wire);
      call.identity ??= issue.open();
      const { identity } = call;
      const to = identity.session === issue.session ? wire : this.#begin(entry, identity);
      to.requests.push(this.#request(call, identity));
    }
  }

  #issue(entry: RegionEntry, wire: RegionRequests): RegionIssue {
    const issue = this.#sessions.issue(entry, this.#nowMs);
    assert(wire.header !== undefined, "requests to a Region have a header");
    wire.header.session = issue.header;
    return issue;
  }

  /** @param of the write that goes alone, because its session is over */
  #begin(entry: RegionEntry, of?: WriteIdentity): RegionRequests {
    const session = of && this.#sessions.headerOf(of.session, entry, this.#nowMs);
    const wire = regionRequests(entry, this.#storeId, session);
    this.#regions.push(wire);
    return wire;
  }

  #request(call: KvCall, identity: WriteIdentity | undefined): KvRequest {
    const { spec } = call;
    // A write that moves on to another Store is the same write there: this one may take all the time there is.
    const untilMs = spec.isWrite ? spec.deadlineMs : call.dueMs;
    const request: KvRequest = {
      $typeName: "rdb.v1.KvRequest",
      requestId: call.requestId,
      timeoutMs: Math.max(1, Math.ceil(untilMs - this.#nowMs)),
      readFrom: call.fromFollower ? ReadFrom.FOLLOWER : ReadFrom.UNSPECIFIED,
      command: spec.command,
      sequence: identity?.sequence ?? NO_SEQUENCE,
      issuedAtMs: identity?.issuedAtMs ?? NO_TIME,
    };
    const traceContext = call.watch?.traceContext;
    if (traceContext !== undefined) {
      request.traceContext = traceContext;
    }
    return request;
  }
}

function regionRequests(entry: RegionEntry, to: StoreId, session: ClientSession | undefined): RegionRequests {
  const { id, epoch } = entry.region;
  return {
    $typeName: "rdb.v1.RegionRequests",
    header: {
      $typeName: "rdb.v1.RegionHeader",
      regionId: BigInt(id),
      epoch: {
        $typeName: "rdb.v1.RegionEpoch",
        confVer: BigInt(epoch.confVer),
        version: BigInt(epoch.version),
      },
      storeId: BigInt(to),
      ...(session && { session }),
    },
    requests: [],
  };
}
