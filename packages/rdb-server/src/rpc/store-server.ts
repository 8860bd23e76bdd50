import { type Clock, type Logger, type Random } from "@flaredb/rdb-base";
import { KvService, RaftService, type RegionError } from "@flaredb/rdb-proto";
import type { StoreIdent } from "@flaredb/rdb-storage";
import type { ListenCounts, Wire, WireServer } from "@flaredb/rdb-wire";
import type { StoreConfig } from "../config.ts";
import type { SnapshotReceiver } from "../snapshot/receiver.ts";
import type { StoreHandle } from "../store/store-handle.ts";
import type { Liveness } from "../transport/liveness.ts";
import { KvForwarder } from "./kv-forwarder.ts";
import { KvRouter, type KvRouterOptions } from "./kv-router.ts";
import { type KvExecutor, kvUnaryService } from "./kv-service.ts";
import { serveKvBatch } from "./kv-stream.ts";
import { serveRaft } from "./raft-service.ts";
import { storeIsStarting } from "./starting.ts";

export interface StoreServerOptions {
  readonly host: string;
  readonly port: number;
  readonly wire: Wire;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly config: Pick<StoreConfig, "rpc" | "outgoingHost" | "listen">;
  /** Default: nobody looks. */
  readonly listenCounts?: ListenCounts | undefined;
}

/** What the server serves once the Store knows who it is and its Regions are open. */
export interface ServedStore extends Pick<KvRouterOptions, "addressOf" | "lookUp"> {
  readonly ident: StoreIdent;
  readonly handle: StoreHandle;
  readonly liveness: Pick<Liveness, "heard">;
  readonly receiver: SnapshotReceiver;
  /** Hears why a request was refused that did not come to the loop. */
  readonly refused: (error: RegionError) => void;
}

/**
 * The Store's RPC port. It listens before the Store is there, so that a port that is taken stops a start before
 * anything on disk is touched; until `serve` every call is told that the Store is starting.
 */
export class StoreServer {
  readonly #options: StoreServerOptions;
  readonly #server: WireServer;
  readonly #forwarder: KvForwarder;
  #served: (ServedStore & { readonly executor: KvExecutor }) | undefined;

  constructor(options: StoreServerOptions) {
    const { host, port, wire, clock, logger, config } = options;
    this.#options = options;
    this.#forwarder = new KvForwarder({ wire, clock, localAddress: config.outgoingHost });
    this.#server = wire.serve({
      ...{ host, port, clock, logger, limits: config.listen },
      counts: options.listenCounts,
      routes: (router) => {
        router.service(
          KvService,
          kvUnaryService(() => this.#served && { executor: this.#served.executor, ...config.rpc }),
        );
        router.service(RaftService, {
          snapshot: (requests) => this.#receiver().receive(requests),
          offerSnapshot: (request) => this.#receiver().offer(request),
        });
      },
    });
    serveKvBatch(this.#server, () => this.#served && { ...this.#served, logger, ...config.rpc });
    serveRaft(this.#server, () => this.#served && { ...this.#served, logger, clock });
  }

  /** The real port. Only after `listen`. */
  get port(): number {
    return this.#server.port;
  }

  /** @throws RdbError RDB_ADDRESS_IN_USE; RDB_UNAVAILABLE when the address cannot be listened on */
  listen(): Promise<void> {
    return this.#server.listen();
  }

  /** The Store is there. */
  serve(store: ServedStore): void {
    const { clock, random } = this.#options;
    const router = new KvRouter({
      ...{ storeId: store.ident.storeId, clock, random },
      ...store,
      forward: (address, header, request, timeoutMs) =>
        this.#forwarder.send(address, header, request, timeoutMs),
    });
    this.#served = { ...store, executor: router };
  }

  /** @throws RdbError RDB_UNAVAILABLE while the Store starts */
  #receiver(): SnapshotReceiver {
    if (this.#served === undefined) {
      throw storeIsStarting();
    }
    return this.#served.receiver;
  }

  /** Takes nothing new and cuts what is left after `graceMs`. Idempotent. */
  async close(graceMs: number): Promise<void> {
    await this.#server.close(graceMs);
    this.#forwarder.close();
  }

  /** Answers nobody any more, from this moment on. */
  cut(): void {
    this.#server.cut();
    this.#forwarder.close();
  }
}
