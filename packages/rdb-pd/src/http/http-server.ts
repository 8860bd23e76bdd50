import type { AddressInfo } from "node:net";
import { type ErrorCode, RdbError } from "@flaredb/rdb-base";
import { formatAddress } from "@flaredb/rdb-wire";
import fastify, { type FastifyInstance } from "fastify";
import { parseKeyText } from "../key-text.ts";
import type { RunningPd } from "../run-pd.ts";
import { clusterView, healthView, regionsView, storesView } from "./json-views.ts";

export interface HttpServerOptions {
  readonly host: string;
  /** 0: any free one; `listen` tells which. */
  readonly port: number;
}

/** What the endpoint shows. */
export type HttpSource = Pick<RunningPd, "driver" | "group">;

/**
 * Health, and what PD knows as read-only JSON. 503 while PD is starting, on health while this member knows no leader,
 * on all else while it does not lead.
 */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #server: FastifyInstance;
  #source: HttpSource | undefined;
  #port = 0;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    // Connections are cut at the close: a browser's idle one would hold it up.
    this.#server = fastify({ forceCloseConnections: true });
    this.#server.get("/health", (_request, reply) => {
      const view = healthView(this.#shown.group);
      return reply.status(view.status === "leaderless" ? 503 : 200).send(view);
    });
    this.#server.get("/api/v1/cluster", () => {
      const { driver, group } = this.#shown;
      return clusterView(driver, group.members());
    });
    this.#server.get("/api/v1/stores", () => storesView(this.#shown.driver));
    this.#server.get<{ Querystring: { startKey?: string } }>("/api/v1/regions", ({ query }) =>
      regionsView(this.#shown.driver, parseKeyText(String(query.startKey ?? ""))),
    );
    this.#server.setErrorHandler((error, _request, reply) => {
      const { code, message } = RdbError.from(error);
      return reply.status(httpStatus(code)).send({ code, message });
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

/** 400 for what the caller has to change, 503 for what may pass by itself. */
function httpStatus(code: ErrorCode): number {
  switch (code) {
    case "RDB_INVALID_ARGUMENT":
      return 400;
    case "RDB_CLUSTER_NOT_BOOTSTRAPPED":
    case "RDB_UNAVAILABLE":
    case "RDB_NOT_LEADER":
      return 503;
    default:
      return 500;
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
