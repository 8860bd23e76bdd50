import { type Clock, RdbError } from "@flaredb/rdb-base";
import { PdService } from "@flaredb/rdb-proto";
import { createClient } from "@connectrpc/connect";
import { RpcConnection, fromConnectError, unaryTransport } from "@flaredb/rdb-wire";
import type { PdConnector, PdLink, StoreConnector } from "./ports.ts";

const BATCH_PATH = "/rdb.v1.KvService/Batch";
/** How long a Store may take to accept a connection and speak. */
const CONNECT_TIMEOUT_MS = 1_000;
/** A Store that is silent for longer than both together is given up. */
const KEEPALIVE = { intervalMs: 500, timeoutMs: 1_000 } as const;

/** Streams to Stores over HTTP/2, each on a connection of its own. */
export function wireStoreConnector(clock: Clock, localAddress: string | undefined): StoreConnector {
  return {
    open(address, codec, handlers) {
      const connection = new RpcConnection({
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

/** Unary gRPC to placement drivers. */
export function wirePdConnector(localAddress: string | undefined): PdConnector {
  return {
    connect(address): PdLink {
      const unary = unaryTransport(address, {
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
