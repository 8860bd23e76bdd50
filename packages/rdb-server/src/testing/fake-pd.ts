import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { RdbError, silentLogger, systemClock } from "@flaredb/rdb-base";
import {
  PdService,
  type GetRegionRequest,
  type GetRegionResponseSchema,
  type RegionHeartbeatRequest,
  type RegionHeartbeatResponse,
  RegionHeartbeatResponseSchema,
  type RegisterStoreRequest,
  type Store,
  type StoreHeartbeatRequest,
  StoreSchema,
} from "@flaredb/rdb-proto";
import { RpcServer } from "@flaredb/rdb-wire";
import { EventLog } from "./event-log.ts";

/** One call that PD got. */
export type PdEvent =
  | { readonly kind: "register"; readonly request: RegisterStoreRequest }
  | { readonly kind: "storeHeartbeat"; readonly request: StoreHeartbeatRequest }
  | { readonly kind: "regionHeartbeat"; readonly request: RegionHeartbeatRequest }
  | { readonly kind: "streamEnded" };

type CommandInit = MessageInitShape<typeof RegionHeartbeatResponseSchema>["command"];

/** A placement driver that notes what it is told, and says what it is given to say. For tests of the Store's side. */
export class FakePd {
  readonly log = new EventLog<PdEvent>();
  readonly clusterId = 77n;
  stores: Store[] = [create(StoreSchema, { id: 1n, address: "127.0.0.1:7410" })];
  onRegister: (request: RegisterStoreRequest) => void = () => {};
  onStoreHeartbeat: (request: StoreHeartbeatRequest) => boolean = () => false;
  onRegionHeartbeat: (request: RegionHeartbeatRequest) => void = () => {};
  onGetRegion: (request: GetRegionRequest) => MessageInitShape<typeof GetRegionResponseSchema> = () => {
    throw new RdbError("RDB_CLUSTER_NOT_BOOTSTRAPPED", "the cluster has no Regions yet");
  };
  readonly #server: RpcServer;
  #commands: RegionHeartbeatResponse[] = [];
  #wake: (() => void) | undefined;
  #cut = false;

  constructor(port = 0) {
    this.#server = new RpcServer({
      host: "127.0.0.1",
      port,
      logger: silentLogger,
      clock: systemClock,
      routes: (router) =>
        router.service(PdService, {
          registerStore: (request) => {
            this.log.add({ kind: "register", request });
            this.onRegister(request);
            return { clusterId: this.clusterId, storeId: request.storeId || 1n, stores: this.stores };
          },
          storeHeartbeat: (request) => {
            this.log.add({ kind: "storeHeartbeat", request });
            return { sendRegions: this.onStoreHeartbeat(request) };
          },
          getRegion: (request) => this.onGetRegion(request),
          regionHeartbeat: (requests) => this.#stream(requests),
        }),
    });
  }

  async listen(): Promise<this> {
    await this.#server.listen();
    return this;
  }

  get address(): string {
    return this.#server.address;
  }

  get port(): number {
    return this.#server.port;
  }

  of<Kind extends PdEvent["kind"]>(kind: Kind): Extract<PdEvent, { kind: Kind }>[] {
    return this.log.events.filter((event): event is Extract<PdEvent, { kind: Kind }> => event.kind === kind);
  }

  async first<Kind extends PdEvent["kind"]>(
    kind: Kind,
    count = 1,
  ): Promise<Extract<PdEvent, { kind: Kind }>[]> {
    await this.log.until(() => this.of(kind).length >= count);
    return this.of(kind).slice(0, count);
  }

  /** Says a command on the stream; a refusal names it by its id, unless that is 0. */
  say(command: CommandInit, commandId = 0n): void {
    this.#commands.push(
      create(RegionHeartbeatResponseSchema, { commandId, command } as MessageInitShape<
        typeof RegionHeartbeatResponseSchema
      >),
    );
    this.#wake?.();
  }

  /** Ends the stream, as when a member hands PD's leadership over. */
  cutStream(): void {
    this.#cut = true;
    this.#wake?.();
  }

  close(): Promise<void> {
    return this.#server.close(0);
  }

  async *#stream(requests: AsyncIterable<RegionHeartbeatRequest>): AsyncGenerator<RegionHeartbeatResponse> {
    const messages = requests[Symbol.asyncIterator]();
    const first = await messages.next();
    if (first.done === true) {
      return;
    }
    this.log.add({ kind: "regionHeartbeat", request: first.value });
    this.onRegionHeartbeat(first.value);
    void this.#listen(messages);
    yield create(RegionHeartbeatResponseSchema, {
      command: { case: "storeList", value: { stores: this.stores } },
    });
    while (!this.#cut) {
      yield* this.#commands.splice(0);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#cut = false;
    throw new RdbError("RDB_CLOSED", "another member leads now");
  }

  async #listen(messages: AsyncIterator<RegionHeartbeatRequest>): Promise<void> {
    try {
      for (let next = await messages.next(); next.done !== true; next = await messages.next()) {
        this.log.add({ kind: "regionHeartbeat", request: next.value });
      }
    } catch {
      // The Store went away.
    }
    this.log.add({ kind: "streamEnded" });
  }
}
