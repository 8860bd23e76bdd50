import { type MessageInitShape, create } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { assert, clusterVersions } from "@flaredb/rdb-base";
import {
  type CommandRefusalReason,
  type CreatePeer,
  type PdService,
  type Region,
  type RegionHeartbeatRequest,
  RegionHeartbeatRequestSchema,
  type RegionHeartbeatResponse,
  type RegionReport,
  RegionReportSchema,
  type StoreHeartbeatResponse,
  reportsDigest,
} from "@flaredb/rdb-proto";
import { fromConnectError } from "@flaredb/rdb-wire";
import { CommandQueue } from "../heartbeat/command-queue.ts";

const QUEUE_MAX_COUNT = 1_000;

export type Command = RegionHeartbeatResponse["command"];

/** What a Store says to PD, without a Store behind it: tests say what it reports. */
export class FakeStore {
  readonly client: Client<typeof PdService>;
  readonly address: string;
  bootId: bigint;
  clusterId = 0n;
  storeId = 0n;
  /** The newest that its program knows. */
  clusterVersion: number = clusterVersions.newest;
  /** What it would report of itself now. */
  reports: RegionReport[] = [];
  /** Commands that came and that nobody asked for yet. */
  readonly received: Command[] = [];
  #requests: CommandQueue<RegionHeartbeatRequest> | undefined;
  #streamEnded: Promise<Error | undefined> | undefined;
  #wake: () => void = () => {};
  readonly #orders: RegionHeartbeatResponse[] = [];
  #wakeOrders: () => void = () => {};

  constructor(client: Client<typeof PdService>, address: string, bootId = 1n) {
    this.client = client;
    this.address = address;
    this.bootId = bootId;
  }

  /** Registers as new, or as the Store that it is. */
  async register(): Promise<void> {
    const { clusterId, clusterVersion, storeId, bootId, address } = this;
    const registrationToken = `token of ${address}`;
    const answer = await this.client.registerStore({
      clusterId,
      clusterVersion,
      storeId,
      bootId,
      address,
      registrationToken,
    });
    this.clusterId = answer.clusterId;
    this.storeId = answer.storeId;
  }

  /** Opens the stream with a keepalive. */
  openStream(): void {
    const requests = new CommandQueue<RegionHeartbeatRequest>(QUEUE_MAX_COUNT);
    this.#requests = requests;
    this.keepalive();
    this.#streamEnded = this.#read(this.client.regionHeartbeat(requests));
  }

  /** A keepalive, with changes if there are any. */
  keepalive(regions: readonly RegionReport[] = []): void {
    const { clusterId, storeId, bootId } = this;
    assert(this.#requests !== undefined, "the stream is open");
    this.#requests.push(
      create(RegionHeartbeatRequestSchema, { clusterId, storeId, bootId, regions: [...regions] }),
    );
  }

  /** It will not carry out a command. */
  refuse(commandId: bigint, reason: CommandRefusalReason, message: string): void {
    const { clusterId, storeId, bootId } = this;
    assert(this.#requests !== undefined, "the stream is open");
    const refusals = [{ commandId, reason, message }];
    this.#requests.push(create(RegionHeartbeatRequestSchema, { clusterId, storeId, bootId, refusals }));
  }

  /** What it has, or how PD's orders ended, when Regions lost their quorum. */
  answer(
    news: Pick<MessageInitShape<typeof RegionHeartbeatRequestSchema>, "survey" | "recoveryResults">,
  ): void {
    const { clusterId, storeId, bootId } = this;
    assert(this.#requests !== undefined, "the stream is open");
    this.#requests.push(create(RegionHeartbeatRequestSchema, { clusterId, storeId, bootId, ...news }));
  }

  /** Commands to Regions' leaders that came and that nobody asked for yet. */
  get orderCount(): number {
    return this.#orders.length;
  }

  /** The next command to a Region's leader that has an id, with that. */
  async nextOrder(): Promise<RegionHeartbeatResponse> {
    for (;;) {
      const order = this.#orders.shift();
      if (order !== undefined) {
        return order;
      }
      await new Promise<void>((resolve) => {
        this.#wakeOrders = resolve;
      });
    }
  }

  /** What the stream ended with. */
  async streamEnd(): Promise<Error | undefined> {
    return this.#streamEnded;
  }

  async closeStream(): Promise<void> {
    this.#requests?.end();
    await this.#streamEnded;
  }

  /** The next command of the kind; those of other kinds stay for others to ask for. */
  async next<Case extends NonNullable<Command["case"]>>(
    kind: Case,
  ): Promise<Extract<Command, { case: Case }>> {
    for (;;) {
      const at = this.received.findIndex((command) => command.case === kind);
      if (at >= 0) {
        return this.received.splice(at, 1)[0] as Extract<Command, { case: Case }>;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  heartbeat(regions: readonly RegionReport[] = []): Promise<StoreHeartbeatResponse> {
    const { clusterId, clusterVersion, storeId, bootId } = this;
    return this.client.storeHeartbeat({
      clusterId,
      clusterVersion,
      storeId,
      bootId,
      stats: { capacityBytes: 100n, availableBytes: 60n, usedBytes: 40n },
      regions: [...regions],
      regionsDigest: reportsDigest(this.reports),
    });
  }

  /** What this Store's peer of the Region reports when it leads. */
  leaderReport(region: Region, term = 6n): RegionReport {
    return create(RegionReportSchema, {
      ...this.followerReport(region),
      isLeader: true,
      region,
      term,
      approximateSizeBytes: 1_000n,
    });
  }

  followerReport(region: Region): RegionReport {
    const peer = region.peers.find(({ storeId }) => storeId === this.storeId);
    assert(peer !== undefined && region.epoch !== undefined, "the Region has a peer here");
    return create(RegionReportSchema, { regionId: region.id, peerId: peer.id, epoch: region.epoch });
  }

  async #read(responses: AsyncIterable<RegionHeartbeatResponse>): Promise<Error | undefined> {
    try {
      for await (const response of responses) {
        if (response.commandId !== 0n) {
          this.#orders.push(response);
          this.#wakeOrders();
          continue;
        }
        this.received.push(response.command);
        this.#wake();
      }
      return undefined;
    } catch (error) {
      return fromConnectError(error);
    }
  }
}

/** The Region that the command makes the peer of. */
export function regionOf(command: { readonly value: CreatePeer }): Region {
  const { region } = command.value;
  assert(region !== undefined, "CreatePeer names a Region");
  return region;
}
