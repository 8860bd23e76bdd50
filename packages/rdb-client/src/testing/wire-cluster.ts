import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Clock, silentLogger, storeId, systemClock } from "@flaredb/rdb-base";
import {
  BatchRequestSchema,
  BatchResponseSchema,
  type BatchRequest,
  type KvResponse,
  PdService,
} from "@flaredb/rdb-proto";
import { RpcServer, type StreamCodec } from "@flaredb/rdb-wire";
import { FakeCluster, type FakeStore } from "./fake-cluster.ts";
import { ManualClock } from "./manual-clock.ts";

const codec: StreamCodec<KvResponse, BatchRequest> = {
  encode: (responses) =>
    toBinary(BatchResponseSchema, create(BatchResponseSchema, { responses: [...responses] })),
  sizeOf: (response) => 32 + (response.result.case === "get" ? response.result.value.value.length : 0),
  decode: (message) => fromBinary(BatchRequestSchema, message),
};

/** A {@link FakeCluster} whose Stores and placement driver answer on real sockets of 127.0.0.1. */
export class WireCluster {
  /** Its state and faults; the states of its Stores have no effect here: stop their servers instead. */
  readonly fake: FakeCluster;
  readonly #clock: Clock = systemClock;
  readonly #servers = new Map<FakeStore, RpcServer>();
  #pd: RpcServer | undefined;

  private constructor(fake: FakeCluster) {
    this.fake = fake;
  }

  static async start(options: { readonly splitKeys?: string[] } = {}): Promise<WireCluster> {
    const cluster = new WireCluster(new FakeCluster(new ManualClock(), options));
    for (const store of cluster.fake.stores) {
      await cluster.startStore(store.id);
    }
    await cluster.startPd();
    return cluster;
  }

  get pdAddress(): string {
    return (this.#pd as RpcServer).address;
  }

  async startPd(): Promise<void> {
    const { pdRoutes } = this.fake;
    this.#pd = new RpcServer({
      host: "127.0.0.1",
      port: 0,
      logger: silentLogger,
      clock: this.#clock,
      routes: (router) => router.service(PdService, pdRoutes),
    });
    await this.#pd.listen();
  }

  async stopPd(): Promise<void> {
    await this.#pd?.close(0);
  }

  /** Starts a Store, on a new port. */
  async startStore(id: number): Promise<void> {
    const store = this.fake.store(storeId(id));
    const server = new RpcServer({ host: "127.0.0.1", port: 0, logger: silentLogger, clock: this.#clock });
    server.handleStream("/rdb.v1.KvService/Batch", codec, (stream) => ({
      onMessage: (batch) => {
        for (const response of this.fake.serve(store, batch)) {
          stream.push(response);
        }
      },
      onEnd: () => stream.close(),
      onClosed: () => {},
    }));
    await server.listen();
    store.address = server.address;
    this.#servers.set(store, server);
  }

  /** @param graceMs 0: as kill -9 */
  async stopStore(id: number, graceMs: number): Promise<void> {
    await this.#servers.get(this.fake.store(id))?.close(graceMs);
  }

  async stop(): Promise<void> {
    await this.stopPd();
    await Promise.all([...this.#servers.values()].map((server) => server.close(0)));
  }
}
