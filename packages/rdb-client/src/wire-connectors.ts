import { type Clock, RdbError } from "@flaredb/rdb-base";
import { PdService } from "@flaredb/rdb-proto";
import { createClient } from "@connectrpc/connect";
import { type Wire, fromConnectError } from "@flaredb/rdb-wire";
import type { PdConnector, PdLink, StoreConnector } from "./ports.ts";

const BATCH_PATH = "/rdb.v1.KvService/Batch";
/** How long a Store may take to accept a connection and speak. */
const CONNECT_TIMEOUT_MS = 1_000;
/** A Store that is silent for longer than both together is given up. */
const KEEPALIVE = { intervalMs: 500, timeoutMs: 1_000 } as const;

/** How a client calls: over which network, and from where. */
export interface WireConnectorOptions {
  readonly wire: Wire;
  /** The address to call from; undefined: the system's choice. */
  readonly localAddress: string | undefined;
}

/** Streams to Stores, each on a connection of its own. */
export function wireStoreConnector(
  { wire, localAddress }: WireConnectorOptions,
  clock: Clock,
): StoreConnector {
  return {
    open(address, codec, handlers) {
      const connection = wire.connect({
        address,
        clock,
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        keepalive: KEEPALIVE,
        ...(localAddress === undefined ? {} : { localAddress }),
      });
      const stream = connection.openStream(BATCH_PATH, codec, {
        ...handlers,
        onClosed: (error) => {
          handlers.onClosed(error);
          // The connection serves this stream alone.
          connection.close();
        },
      });
      return {
        get isOpen() {
          return stream.isOpen;
        },
        get roundTripMs() {
          return stream.roundTripMs;
        },
        push: (item) => stream.push(item),
        close: () => connection.close(),
      };
    },
  };
}

/** Unary calls to placement drivers. */
export function wirePdConnector({ wire, localAddress }: WireConnectorOptions): PdConnector {
  return {
    connect(address): PdLink {
      const unary = wire.unary(address, {
        keepalive: KEEPALIVE,
        ...(localAddress === undefined ? {} : { localAddress }),
      });
      const client = createClient(PdService, unary.transport);
      return {
        getClusterInfo: (timeoutMs) => answered(client.getClusterInfo({}, { timeoutMs })),
        getRegion: (request, timeoutMs) => answered(client.getRegion(request, { timeoutMs })),
        listRegions: (request, timeoutMs) => answered(client.listRegions(request, { timeoutMs })),
        listStores: (timeoutMs) => answered(client.listStores({}, { timeoutMs })),
        close: () => unary.close(),
      };
    },
  };
}

async function answered<Answer>(call: Promise<Answer>): Promise<Answer> {
  try {
    return await call;
  } catch (error) {
    const rdbError = fromConnectError(error, "RDB_PD_UNAVAILABLE");
    throw new RdbError(rdbError.code, rdbError.message, { details: rdbError.details, cause: error });
  }
}
