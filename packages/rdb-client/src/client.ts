import { type Clock, type Random, RdbError, systemClock, systemRandom } from "@flaredb/rdb-base";
import { TlsIdentity, type Wire, httpWire } from "@flaredb/rdb-wire";
import type { ClientContext } from "./call-context.ts";
import * as batch from "./operations/batch.ts";
import {
  type CompareOptions,
  type CompareResult,
  type Expectation,
  compareAndDelete,
  compareAndSwap,
} from "./operations/compare.ts";
import {
  type ConditionalBatch,
  type ConditionalBatchResult,
  conditionalBatch,
} from "./operations/conditional-batch.ts";
import { type DeleteRangeResult, deleteRange } from "./operations/delete-range.ts";
import { type DeleteResult, type PutResult, deleteKey, get, put } from "./operations/point.ts";
import { Scan, type ScanOptions } from "./operations/scan.ts";
import type { KeySpace } from "./key-space/key-space.ts";
import { Namespace } from "./key-space/namespace.ts";
import type { TypedCodecs } from "./key-space/typed-row.ts";
import { TypedSpace } from "./key-space/typed-space.ts";
import {
  type Bytes,
  type CallOptions,
  type ConnectOptions,
  type ReadOptions,
  clientDefaults,
} from "./options.ts";
import { PdClient } from "./pd-client.ts";
import type { AnswerListener, PdConnector, StoreConnector } from "./ports.ts";
import { RegionCache } from "./region-cache.ts";
import { RequestSender } from "./request-sender.ts";
import type { Row } from "./row.ts";
import { ClientTracing } from "./tracing/client-tracing.ts";
import { type RangeOptions, checkDeadlineMs, checkReadFrom, pdAddresses } from "./validate.ts";
import { wirePdConnector, wireStoreConnector } from "./wire-connectors.ts";
import { WriteSessions } from "./write-sessions.ts";

/** What a client stands on: real clock, chance and network unless the simulator brings its own. */
export interface ClientPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly wire: Wire;
  /** @internal */
  readonly onAnswer?: AnswerListener | undefined;
}

/** What is above the network, for tests that have none. */
export interface ConnectorPorts extends Omit<ClientPorts, "wire"> {
  readonly stores: StoreConnector;
  readonly pd: PdConnector;
}

/** Regions that are learned when a client connects, in one page. Others are asked for when they are needed. */
const PRELOAD_MAX_COUNT = 1_000;
/** Members of the placement driver that answer and do not lead are asked again after so long. */
const ELECTION_PAUSE_MS = 200;

/**
 * A client of a FlareDB cluster. One for a process is enough: every call shares one connection to each Store.
 *
 * Each call on one Region is linearizable, and each write is applied once, however often it must be sent: one whose
 * answer was lost is sent again as the same write, to whoever leads the Region then, until the call's deadline. What an
 * error promises about a write is in its code: `errorCodes[error.code].write`. In short:
 * - `RDB_UNDETERMINED_RESULT`: it was sent, and nobody said in time what it came to; it is applied once, now or later,
 *   or never: what stands in a leader's log is decided when the Region next has a majority, what no leader took within
 *   a minute never is applied. Read the key, or write with compareAndSwap, before writing again.
 * - every other one: not applied, and it never will be.
 *
 * Regions remember writes for 60 s of their log time. A process that restarts is another client: see the README.
 *
 * Leader changes, splits, busy Stores and lost connections are handled within the call's deadline.
 */
export class RdbClient implements KeySpace {
  readonly #context: ClientContext;
  readonly #sender: RequestSender;
  readonly #pd: PdClient;
  #tls: TlsIdentity | undefined;

  private constructor(context: ClientContext, sender: RequestSender, pd: PdClient) {
    this.#context = context;
    this.#sender = sender;
    this.#pd = pd;
  }

  /**
   * Connects to the cluster that the placement drivers know, and learns its map.
   *
   * @throws RdbError RDB_PD_UNAVAILABLE when none of them answers
   * @throws RdbError RDB_INVALID_ARGUMENT when an option breaks a rule
   * @throws RdbError RDB_CONFIG_INVALID when a file of `tls` cannot be read, or they do not fit together
   */
  static async connect(options: ConnectOptions): Promise<RdbClient> {
    const tls = options.tls === undefined ? undefined : TlsIdentity.open(options.tls);
    const client = await RdbClient.connectOver(options, {
      clock: systemClock,
      random: systemRandom,
      wire: httpWire(tls),
    });
    client.#tls = tls;
    tls?.watch({ clock: systemClock, onUnusable: warn });
    return client;
  }

  /** @internal As `connect`, over another clock, chance and network. */
  static connectOver(options: ConnectOptions, ports: ClientPorts): Promise<RdbClient> {
    const { wire, ...others } = ports;
    const from = { wire, localAddress: options.localAddress };
    const stores = wireStoreConnector(from, ports.clock);
    return RdbClient.connectWith(options, { ...others, stores, pd: wirePdConnector(from) });
  }

  /** @internal As `connectOver`, with other connectors. */
  static async connectWith(options: ConnectOptions, ports: ConnectorPorts): Promise<RdbClient> {
    const deadlineMs = checkDeadlineMs(options.deadlineMs ?? clientDefaults.deadlineMs);
    const readFrom = checkReadFrom(options.readFrom ?? clientDefaults.readFrom);
    const pd = new PdClient(ports.pd, pdAddresses(options.pd));
    const { clock, random, onAnswer } = ports;
    const sessions = new WriteSessions({ clock, random });
    const cache = new RegionCache({ onForgotten: (entry) => sessions.forget(entry) });
    const connector = ports.stores;
    const { hooks } = options;
    const sender = new RequestSender({ cache, pd, connector, clock, random, sessions, onAnswer, hooks });
    const tracing = options.tracing && new ClientTracing(options.tracing);
    const client = new RdbClient({ sender, cache, clock, deadlineMs, readFrom, tracing }, sender, pd);
    try {
      await client.#learnMapWithin(deadlineMs, clock);
    } catch (error) {
      client.close();
      throw RdbError.from(error);
    }
    return client;
  }

  /** The row, or undefined when there is no such key. */
  get(key: Bytes, options?: ReadOptions): Promise<Row | undefined> {
    return this.#call("get", (context) => get(context, key, options));
  }

  /**
   * The rows in the order of the keys, undefined for each that does not exist. What one Region holds is one moment;
   * two Regions may show two.
   */
  batchGet(keys: readonly Bytes[], options?: ReadOptions): Promise<(Row | undefined)[]> {
    return this.#call("batchGet", (context) => batch.batchGet(context, keys, options));
  }

  /** Writes the row, whether or not the key exists. */
  put(key: Bytes, value: Bytes, options?: CallOptions): Promise<PutResult> {
    return this.#call("put", (context) => put(context, key, value, options));
  }

  /**
   * Writes all rows: all or none of those that lie in one Region, but Regions may differ. When a part fails, the
   * error's details hold the keys that are `applied`, `notApplied` and `unknown`.
   */
  batchPut(rows: readonly batch.KeyValue[], options?: CallOptions): Promise<batch.BatchPutResult> {
    return this.#call("batchPut", (context) => batch.batchPut(context, rows, options));
  }

  /** Deletes the key if it exists. */
  delete(key: Bytes, options?: CallOptions): Promise<DeleteResult> {
    return this.#call("delete", (context) => deleteKey(context, key, options));
  }

  /** Deletes the keys that exist. Atomic within a Region; errors as {@link batchPut}. */
  batchDelete(keys: readonly Bytes[], options?: CallOptions): Promise<batch.BatchDeleteResult> {
    return this.#call("batchDelete", (context) => batch.batchDelete(context, keys, options));
  }

  /**
   * Deletes every key of a range: `{ prefix }`, or `{ start, end }` where an empty end means no end. One Region after
   * the other, so it is not atomic: rows written meanwhile may stay. When it fails, the error's details hold
   * `remainingStart` and `remainingEnd`; what lies before is deleted.
   */
  deleteRange(range: RangeOptions, options?: CallOptions): Promise<DeleteRangeResult> {
    return this.#call("deleteRange", (context) => deleteRange(context, range, options));
  }

  /**
   * The rows of a range in the order of their keys: everything, `{ prefix }`, or `{ start, end }`.
   *
   * @throws RdbError RDB_INVALID_ARGUMENT at once; what fails later is thrown by the iteration
   */
  scan(options: ScanOptions = {}): Scan {
    return new Scan(this.#context, options, false);
  }

  /** As {@link scan}, from the last key to the first. `start` is still the lower bound. */
  scanReverse(options: ScanOptions = {}): Scan {
    return new Scan(this.#context, options, true);
  }

  /** Writes the row if the key is as expected. Versions only ever rise, so an expected version has no ABA. */
  compareAndSwap(
    key: Bytes,
    expect: Expectation,
    value: Bytes,
    options?: CompareOptions,
  ): Promise<CompareResult> {
    return this.#call("compareAndSwap", (context) => compareAndSwap(context, key, expect, value, options));
  }

  /** Deletes the key if it is as expected. */
  compareAndDelete(key: Bytes, expect: Expectation, options?: CompareOptions): Promise<CompareResult> {
    return this.#call("compareAndDelete", (context) => compareAndDelete(context, key, expect, options));
  }

  /**
   * Does all mutations if all conditions hold, else none.
   *
   * @throws RdbError RDB_INVALID_ARGUMENT when the keys lie in several Regions; it names two of them
   */
  conditionalBatch(conditional: ConditionalBatch, options?: CallOptions): Promise<ConditionalBatchResult> {
    return this.#call("conditionalBatch", (context) => conditionalBatch(context, conditional, options));
  }

  /** The keys that begin with `prefix`, as a key space of their own. @throws RdbError RDB_INVALID_ARGUMENT */
  namespace(prefix: Bytes): Namespace {
    return new Namespace(this, prefix);
  }

  /** The same keys and values, read and written through codecs. */
  typed<Key, Value>(codecs: TypedCodecs<Key, Value>): TypedSpace<Key, Value> {
    return new TypedSpace(this, codecs);
  }

  /** Ends every connection. Calls in flight fail: with RDB_UNDETERMINED_RESULT the writes that were sent, RDB_CLOSED the others. */
  close(): void {
    this.#sender.close();
    this.#pd.close();
    this.#tls?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** What is checked before sending fails the call as everything else does: by its promise. */
  #call<Result>(operation: string, call: (context: ClientContext) => Promise<Result>): Promise<Result> {
    const { tracing } = this.#context;
    try {
      return tracing === undefined ? call(this.#context) : tracing.run(operation, this.#context, call);
    } catch (error) {
      return Promise.reject(RdbError.from(error));
    }
  }

  /** Waits out an election among the placement driver's members, but not for one that does not answer. */
  async #learnMapWithin(deadlineMs: number, clock: Clock): Promise<void> {
    const endMs = clock.monotonicMs() + deadlineMs;
    for (;;) {
      try {
        return await this.#learnMap();
      } catch (error) {
        const { details } = RdbError.from(error);
        if (details["isElecting"] !== true || clock.monotonicMs() + ELECTION_PAUSE_MS >= endMs) {
          throw error;
        }
      }
      await new Promise<void>((resolve) => clock.setTimer(ELECTION_PAUSE_MS, resolve));
    }
  }

  async #learnMap(): Promise<void> {
    const info = await this.#pd.getClusterInfo();
    if (!info.bootstrapped) {
      // The first calls wait for it, within their deadlines.
      return;
    }
    const [{ statuses }, { routes }] = await Promise.all([
      this.#pd.listStores(),
      this.#pd.listRegions({ startKey: new Uint8Array(0), limit: PRELOAD_MAX_COUNT }),
    ]);
    for (const { store } of statuses) {
      if (store !== undefined) {
        this.#sender.map.learnStore(store);
      }
    }
    for (const route of routes) {
      this.#sender.map.learnRoute(route, []);
    }
  }
}

function warn({ message, code }: RdbError): void {
  process.emitWarning(message, { type: "FlareDB", code });
}
