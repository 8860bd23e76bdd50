import type { AddressInfo } from "node:net";
import { RdbError, formatKey, regionId } from "@flaredb/rdb-base";
import { EXPOSITION_CONTENT_TYPE } from "@flaredb/rdb-metrics";
import type { StoreIdent } from "@flaredb/rdb-storage";
import { type HttpLimits, type HttpServerFactory, formatAddress, limitHttp } from "@flaredb/rdb-wire";
import fastify, { type FastifyInstance } from "fastify";
import type { RegionStatus, StoreHandle } from "./store/store-handle.ts";

/** What the health endpoint shows. */
export interface HealthSource {
  readonly ident: StoreIdent;
  readonly address: string;
  readonly handle: Pick<StoreHandle, "health" | "flow" | "regionStatus" | "regionStatuses">;
  readonly pdIsConnected: () => boolean;
}

export interface HealthServerOptions {
  readonly host: string;
  /** 0: any free one; `listen` tells which. */
  readonly port: number;
  /** The metrics of the process, as text. */
  readonly metrics: () => Promise<string>;
  /** Makes the server underneath, such as one of TLS; undefined: node:http's. */
  readonly serverFactory?: HttpServerFactory | undefined;
  /** Default: Node's. */
  readonly limits?: HttpLimits;
  /** Counts connections that are closed unread. Default: nobody looks. */
  readonly dropped?: { value: number };
}

/** Differs between two processes. */
const BOOT_ID = String(performance.timeOrigin);

/**
 * The Store over HTTP, read-only: `/health` (503 while it starts or its disk is slow), `/metrics` (docs/metrics.md),
 * `/api/v1/regions`, one of them with what its leader knows of the others, and `/api/v1/flow`.
 */
export class HealthServer {
  readonly #options: HealthServerOptions;
  readonly #server: FastifyInstance;
  #source: HealthSource | undefined;
  #port = 0;

  constructor(options: HealthServerOptions) {
    this.#options = options;
    // Connections are cut at the close: a browser's idle one would hold it up.
    const { serverFactory, limits } = options;
    this.#server = fastify({
      forceCloseConnections: true,
      ...(serverFactory === undefined ? {} : { serverFactory }),
    });
    if (limits !== undefined) {
      limitHttp(this.#server.server, limits, options.dropped);
    }
    this.#server.get("/health", (_request, reply) => {
      const view = healthView(this.#source);
      return reply.status(view.status === "ok" ? 200 : 503).send(view);
    });
    this.#server.get("/api/v1/flow", (_request, reply) =>
      this.#source === undefined
        ? reply.status(503).send({ status: "starting" })
        : { bootId: BOOT_ID, ...this.#source.handle.flow() },
    );
    this.#server.get("/metrics", async (_request, reply) =>
      reply.type(EXPOSITION_CONTENT_TYPE).send(await options.metrics()),
    );
    this.#server.get("/api/v1/regions", () => ({
      regions: this.#source?.handle.regionStatuses().map(regionView) ?? [],
    }));
    this.#server.get<{ Params: { id: string } }>("/api/v1/regions/:id", (request, reply) => {
      const id = /^[1-9]\d{0,14}$/.test(request.params.id) ? regionId(Number(request.params.id)) : undefined;
      const status = id === undefined ? undefined : this.#source?.handle.regionStatus(id);
      return status === undefined ? reply.status(404).send({ status: "no peer here" }) : regionView(status);
    });
  }

  /** host:port. Only after `listen`. */
  get address(): string {
    return formatAddress(this.#options.host, this.#port);
  }

  /** @throws RdbError RDB_ADDRESS_IN_USE; RDB_UNAVAILABLE when the address cannot be listened on */
  async listen(): Promise<void> {
    const { host, port } = this.#options;
    try {
      await this.#server.listen({ host, port });
    } catch (error) {
      throw listenError(error, formatAddress(host, port));
    }
    this.#port = (this.#server.server.address() as AddressInfo).port;
  }

  /** The Store serves; undefined: it does not any more. */
  show(source: HealthSource | undefined): void {
    this.#source = source;
  }

  async close(): Promise<void> {
    await this.#server.close();
  }
}

function healthView(source: HealthSource | undefined): { status: string } & Record<string, unknown> {
  if (source === undefined) {
    return { status: "starting" };
  }
  const health = source.handle.health();
  return {
    status: health.isSlow ? "slow" : "ok",
    storeId: source.ident.storeId,
    clusterId: source.ident.clusterId,
    address: source.address,
    pdConnected: source.pdIsConnected(),
    ...health,
  };
}

function regionView(status: RegionStatus): Record<string, unknown> {
  const { region, ...rest } = status;
  return {
    regionId: region.id,
    startKey: formatKey(region.startKey),
    startKeyHex: Buffer.from(region.startKey).toString("hex"),
    endKey: formatKey(region.endKey),
    endKeyHex: Buffer.from(region.endKey).toString("hex"),
    epoch: region.epoch,
    peers: region.peers,
    ...rest,
  };
}

function listenError(error: unknown, address: string): RdbError {
  const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
  return new RdbError(
    isTaken ? "RDB_ADDRESS_IN_USE" : "RDB_UNAVAILABLE",
    isTaken
      ? `HTTP address ${address} is in use; stop the process that listens there or choose another port`
      : `cannot listen on HTTP address ${address}: ${error instanceof Error ? error.message : String(error)}`,
    { details: { address }, cause: error },
  );
}
