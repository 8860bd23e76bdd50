import type { ConnectRouter } from "@connectrpc/connect";
import { type Clock, type RdbError, silentLogger } from "@flaredb/rdb-base";
import type { KvRequest, KvResponse } from "@flaredb/rdb-proto";
import type { RpcConnectionOptions } from "../rpc-connection.ts";
import type { StreamCodec } from "../stream-codec.ts";
import type { InboundStream, OutboundStream, Wire, WireConnection, WireServer } from "../wire.ts";
import { BATCH_PATH, clientCodec, putResponse, serverCodec } from "./echo.ts";

/** Two processes on a network, for one case of the contract. */
export interface WireFixture {
  /** The network as the process sees it that serves. */
  readonly server: Wire;
  readonly serverClock: Clock;
  /** And the one that calls. */
  readonly client: Wire;
  readonly clientClock: Clock;
  /** Where the server listens. */
  readonly host: string;
  /** Lets time pass until the promise is settled. */
  settle<T>(promise: Promise<T>): Promise<T>;
  /** Lets so much time pass. */
  pass(durationMs: number): Promise<void>;
  /** The address of the server behind a network that `silence` can cut. */
  reach(server: WireServer): Promise<string>;
  /** From now on nothing passes on the way of `reach`, in either direction, and nothing is closed. */
  silence(): void;
  /** Whether the end that precedes a stream's reset may arrive by itself, as it does in records of TLS. Default: no. */
  readonly endsBeforeReset?: boolean;
  /** An address at which somebody accepts connections and never says anything. */
  hungAddress(): Promise<string>;
}

/** One case of the contract; fails by throwing. */
export interface WireContractCase {
  readonly name: string;
  run(fixture: WireFixture): Promise<void>;
}

export type EchoStream = InboundStream<KvResponse>;

export interface EchoOptions {
  /** Default: every request is answered at once. */
  readonly onRequests?: (stream: EchoStream, requests: KvRequest[]) => void;
  /** Default: closes the stream. */
  readonly onEnd?: (stream: EchoStream) => void;
  readonly onClosed?: (error: RdbError | undefined) => void;
  readonly routes?: (router: ConnectRouter) => void;
  readonly port?: number;
}

/** A server of the hot method that listens. */
export async function serveEcho(fixture: WireFixture, options: EchoOptions = {}): Promise<WireServer> {
  const server = fixture.server.serve({
    host: fixture.host,
    port: options.port ?? 0,
    logger: silentLogger,
    clock: fixture.serverClock,
    ...(options.routes === undefined ? {} : { routes: options.routes }),
  });
  server.handleStream<KvResponse, KvRequest[]>(BATCH_PATH, serverCodec, (stream) => ({
    onMessage: (requests) => (options.onRequests ?? answerAll)(stream, requests),
    onEnd: () => (options.onEnd === undefined ? stream.close() : options.onEnd(stream)),
    onClosed: (error) => options.onClosed?.(error),
  }));
  await fixture.settle(server.listen());
  return server;
}

export function answerAll(stream: EchoStream, requests: readonly KvRequest[]): void {
  for (const request of requests) {
    stream.push(putResponse(request.requestId));
  }
}

/** A stream, what it received, and how it ended. */
export interface EchoCaller {
  readonly connection: WireConnection;
  readonly stream: OutboundStream<KvRequest>;
  /** Request ids in the order of their answers. */
  readonly received: number[];
  /** What happened, in order: `open`, `message`, `closed`, `connection closed`. */
  readonly events: string[];
  /** How many items were handed to the network. */
  readonly encodedCount: () => number;
  readonly closed: Promise<RdbError | undefined>;
  readonly connectionClosed: Promise<RdbError | undefined>;
  /** Resolves once that many answers came. */
  answers(count: number): Promise<void>;
}

/** Calls the hot method on a connection of its own. */
export function callEcho(
  fixture: WireFixture,
  address: string,
  options: Partial<RpcConnectionOptions> & { readonly codec?: Partial<typeof clientCodec> } = {},
): EchoCaller {
  const { codec: codecChange, ...connectionOptions } = options;
  const events: string[] = [];
  const received: number[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const closed = Promise.withResolvers<RdbError | undefined>();
  const connectionClosed = Promise.withResolvers<RdbError | undefined>();
  let encodedCount = 0;
  const codec: StreamCodec<KvRequest, KvResponse[]> = {
    ...clientCodec,
    encode: (items) => {
      encodedCount += items.length;
      return clientCodec.encode(items);
    },
    ...codecChange,
  };
  const connection = fixture.client.connect({
    address,
    clock: fixture.clientClock,
    onClosed: (error) => {
      events.push("connection closed");
      connectionClosed.resolve(error);
    },
    ...connectionOptions,
  });
  const stream = connection.openStream(BATCH_PATH, codec, {
    onOpen: () => events.push("open"),
    onMessage: (responses) => {
      events.push("message");
      received.push(...responses.map((response) => response.requestId));
      for (const waiter of waiting) {
        if (received.length >= waiter.count) {
          waiter.resolve();
        }
      }
    },
    onClosed: (error) => {
      events.push("closed");
      closed.resolve(error);
    },
  });
  return {
    connection,
    stream,
    received,
    events,
    encodedCount: () => encodedCount,
    closed: closed.promise,
    connectionClosed: connectionClosed.promise,
    answers: (count) =>
      received.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push({ count, resolve })),
  };
}
