import type { RegionId, StoreId } from "@flaredb/rdb-base";
import type {
  KvRequest,
  KvResponse,
  GetRegionResponse,
  GetClusterInfoResponse,
  ListRegionsResponse,
  ListStoresResponse,
} from "@flaredb/rdb-proto";
import type { ClientStreamHandlers, StreamCodec } from "@flaredb/rdb-wire";

/** The `KvService.Batch` stream to one Store. Those of rdb-wire are its OutboundStreams; tests have their own. */
export interface StoreStream<Item> {
  /** Whether `push` may succeed. */
  readonly isOpen: boolean;
  /** Time of a round trip as last measured; undefined before the first. */
  readonly roundTripMs: number | undefined;
  /** @returns whether the item was taken; not when the stream is closing or its queue is full */
  push(item: Item): boolean;
  /** Ends at once; `onClosed` is called. */
  close(): void;
}

/** Opens streams to Stores. Never retries. */
export interface StoreConnector {
  /**
   * Items may be pushed at once. `onOpen` comes when the Store took the stream, `onClosed` exactly once and never
   * before this returns. Items that `codec.encode` did not see by then were certainly not sent.
   */
  open<Item>(
    address: string,
    codec: StreamCodec<Item, KvResponse[]>,
    handlers: ClientStreamHandlers<KvResponse[]>,
  ): StoreStream<Item>;
}

/** Calls to one placement driver. Everything fails with an RdbError. */
export interface PdLink {
  getClusterInfo(timeoutMs: number): Promise<GetClusterInfoResponse>;
  getRegion(
    request: { readonly key: Uint8Array; readonly before: boolean },
    timeoutMs: number,
  ): Promise<GetRegionResponse>;
  listRegions(
    request: { readonly startKey: Uint8Array; readonly limit: number },
    timeoutMs: number,
  ): Promise<ListRegionsResponse>;
  listStores(timeoutMs: number): Promise<ListStoresResponse>;
  close(): void;
}

export interface PdConnector {
  /** Does not wait for anything: the first call connects. */
  connect(address: string): PdLink;
}

/** One answer that a call ended with, before it is made a result: for checkers that want to see all of it. */
export interface AnswerTrace {
  readonly command: KvRequest["command"];
  /** Of whichever kind, it carries the Region's revision (a put as `version`), also where no row was found. */
  readonly result: KvResponse["result"];
  readonly regionId: RegionId;
  readonly storeId: StoreId;
  /** Of a write. */
  readonly sequence: number | undefined;
  /** How often the request was handed to a socket. */
  readonly attemptCount: number;
}

/** Called right before the call that it belongs to ends. Must not throw. */
export type AnswerListener = (answer: AnswerTrace) => void;
