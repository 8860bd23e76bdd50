import type { AddressInfo } from "node:net";
import { RdbError, assert } from "@flaredb/rdb-base";
import { dashboardFolder } from "@flaredb/rdb-dashboard";
import { EXPOSITION_CONTENT_TYPE } from "@flaredb/rdb-metrics";
import { type HttpLimits, type HttpServerFactory, formatAddress, limitHttp } from "@flaredb/rdb-wire";
import fastify, { type FastifyInstance } from "fastify";
import type { ApiSource } from "./api/endpoint.ts";
import { addDashboard } from "./dashboard/dashboard.ts";
import { healthView } from "./health-view.ts";

export interface HttpServerOptions {
  readonly host: string;
  /** 0: any free one; `listen` tells which. */
  readonly port: number;
  /** Makes the server underneath, such as one of TLS; undefined: node:http's. */
  readonly serverFactory?: HttpServerFactory | undefined;
  /** Default: Node's. */
  readonly limits?: HttpLimits;
  /** Counts connections that are closed unread. Default: nobody looks. */
  readonly dropped?: { value: number };
  /** The metrics of the process, as text. Default: it shows none. */
  readonly metrics?: () => Promise<string>;
  /** What a request to the admin API has to carry; undefined: see `AccessRules`. */
  readonly token?: string | undefined;
}

/** What the endpoint shows. */
export type HttpSource = ApiSource;

/** Health, metrics, the admin API under `/api/v1`, and the dashboard. 503 while PD is starting, on health while this member knows no leader. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #server: FastifyInstance;
  /** The admin API. Made when somebody first asks it: its schemas would cost every start a tenth of a second. */
  #api: Promise<FastifyInstance> | undefined;
  #source: HttpSource | undefined;
  #port = 0;

  constructor(options: HttpServerOptions) {
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
      const view = healthView(this.#shown.group);
      return reply.status(view.status === "leaderless" ? 503 : 200).send(view);
    });
    const { metrics } = options;
    if (metrics !== undefined) {
      this.#server.get("/metrics", async (_request, reply) =>
        reply.type(EXPOSITION_CONTENT_TYPE).send(await metrics()),
      );
    }
    this.#server.all("/api/v1/*", {
      // Before the body is read: that is the API's to do, a server of its own on the same connections.
      onRequest: async (request, reply) => {
        const api = await (this.#api ??= this.#makeApi());
        reply.hijack();
        api.routing(request.raw, reply.raw);
      },
      handler: () => assert(false, "the hook has taken the request over"),
    });
    addDashboard(this.#server, { folder: dashboardFolder, group: () => this.#source?.group });
    this.#server.setErrorHandler((error, _request, reply) => {
      const { code, message } = RdbError.from(error);
      return reply.status(code === "RDB_UNAVAILABLE" ? 503 : 500).send({ code, message });
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

  /** PD serves. */
  show(source: HttpSource): void {
    this.#source = source;
  }

  async close(): Promise<void> {
    const api = await this.#api;
    await Promise.all([this.#server.close(), api?.close()]);
  }

  async #makeApi(): Promise<FastifyInstance> {
    const { adminApi } = await import("./api/admin-api.ts");
    const { token, host } = this.#options;
    const api = fastify();
    await api.register(adminApi({ access: { token, host }, source: () => this.#shown }), {
      prefix: "/api/v1",
    });
    await api.ready();
    return api;
  }

  get #shown(): HttpSource {
    if (this.#source === undefined) {
      throw new RdbError("RDB_UNAVAILABLE", "the placement driver is starting");
    }
    return this.#source;
  }
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
