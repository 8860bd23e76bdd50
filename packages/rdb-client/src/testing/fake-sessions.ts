import { compareKeys } from "@flaredb/rdb-base";
import type { ClientSession, KvRequest, KvResponse, RegionError } from "@flaredb/rdb-proto";
import { boundsOf } from "./fake-rows.ts";

/** Older than log time by more than this: expired. */
const WINDOW_MS = 60_000;
/** Ahead of log time by more than this: expired. */
const AHEAD_MAX_MS = 5_000;

type Result = KvResponse["result"];
type Reason = RegionError["reason"];

/** An answer that was given, and for which keys. */
interface Recorded {
  readonly lowest: Uint8Array;
  readonly highest: Uint8Array;
  readonly result: Result;
  readonly issuedAtMs: number;
}

interface Client {
  floor: number;
  /** Of the newest write; the floor stays as long as it is in the window. */
  issuedAtMs: number;
  readonly records: Map<number, Recorded[]>;
}

/** What one Region remembers of its clients' writes: the rules of the Stores, without their bounds. */
export class FakeSessions {
  readonly #clients: Map<bigint, Client>;

  constructor(clients: Map<bigint, Client> = new Map()) {
    this.#clients = clients;
  }

  /** Answers that are remembered. */
  get recordCount(): number {
    let count = 0;
    for (const { records } of this.#clients.values()) {
      for (const recorded of records.values()) {
        count += recorded.length;
      }
    }
    return count;
  }

  /** What a split hands to the new Region. */
  copy(): FakeSessions {
    return new FakeSessions(
      new Map(
        [...this.#clients].map(([id, client]) => [
          id,
          { ...client, records: new Map([...client.records].map(([at, recorded]) => [at, [...recorded]])) },
        ]),
      ),
    );
  }

  /** Applies a write by the rules. */
  apply(
    session: ClientSession,
    { sequence, issuedAtMs, command }: KvRequest,
    logTimeMs: number,
    evaluate: () => Result,
  ): Result | Reason {
    this.#forgetExpired(logTimeMs);
    const client = this.#client(session.clientId);
    for (const known of client.records.keys()) {
      if (known < session.lowestOpenSequence) {
        client.records.delete(known);
      }
    }
    client.floor = Math.max(client.floor, session.lowestOpenSequence);
    if (sequence < client.floor) {
      return { case: "sequenceClosed", value: { $typeName: "rdb.v1.SequenceClosed" } };
    }
    const issuedMs = Number(issuedAtMs);
    if (issuedMs < logTimeMs - WINDOW_MS || issuedMs > logTimeMs + AHEAD_MAX_MS) {
      return {
        case: "requestExpired",
        value: { $typeName: "rdb.v1.RequestExpired", logTimeMs: BigInt(Math.floor(logTimeMs)) },
      };
    }
    const { lowest, highest } = boundsOf(command);
    const recorded = client.records.get(sequence) ?? [];
    const known = recorded.find(
      (record) => compareKeys(record.lowest, lowest) <= 0 && compareKeys(highest, record.highest) <= 0,
    );
    if (known !== undefined) {
      return known.result;
    }
    const result = evaluate();
    client.issuedAtMs = Math.max(client.issuedAtMs, issuedMs);
    client.records.set(sequence, [...recorded, { lowest, highest, result, issuedAtMs: issuedMs }]);
    return result;
  }

  #client(id: bigint): Client {
    const known = this.#clients.get(id);
    if (known !== undefined) {
      return known;
    }
    const client = { floor: 1, issuedAtMs: 0, records: new Map<number, Recorded[]>() };
    this.#clients.set(id, client);
    return client;
  }

  #forgetExpired(logTimeMs: number): void {
    const oldestMs = logTimeMs - WINDOW_MS;
    for (const [id, client] of this.#clients) {
      for (const [sequence, recorded] of client.records) {
        if (recorded.every((record) => record.issuedAtMs < oldestMs)) {
          client.records.delete(sequence);
        }
      }
      if (client.issuedAtMs < oldestMs) {
        this.#clients.delete(id);
      }
    }
  }
}
