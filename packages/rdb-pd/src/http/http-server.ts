import type { AddressInfo } from "node:net";
import { RdbError } from "@flaredb/rdb-base";
import { type HttpServerFactory, formatAddress } from "@flaredb/rdb-wire";
import fastify, { type FastifyInstance } from "fastify";
import type { AccessRules } from "./api/access.ts";
import { adminApi } from "./api/admin-api.ts";
import type { ApiSource } from "./api/endpoint.ts";
import { healthView } from "./health-view.ts";

export interface HttpServerOptions {
  readonly host: string;
  /** 0: any free one; `listen` tells which. */
  readonly port: number;
  /** Makes the server underneath, such as one of TLS; undefined: node:http's. */
  readonly serverFactory?: HttpServerFactory | undefined;
  /** What a request to the admin API has to carry; undefined: see `AccessRules`. */
  readonly token?: string | undefined;
}

/** What the endpoint shows. */
export type HttpSource = ApiSource;

/** Health, and the admin API under `/api/v1`. 503 while PD is starting, on health while this member knows no leader. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #server: FastifyInstance;
  #source: HttpSource | undefined;
  #port = 0;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    // Connections are cut at the close: a browser's idle one would hold it up.
    const { serverFactory } = options;
    this.#server = fastify({
      forceCloseConnections: true,
      ...(serverFactory === undefined ? {} : { serverFactory }),
    });
    this.#server.get("/health", (_request, reply) => {
      const view = healthView(this.#shown.group);
      return reply.status(view.status === "leaderless" ? 503 : 200).send(view);
    });
    const access: AccessRules = { token: options.token, host: options.host };
    void this.#server.register(adminApi({ access, source: () => this.#shown }), { prefix: "/api/v1" });
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
    await this.#server.close();
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
