import {
  type Clock,
  type Logger,
  type Random,
  type RdbError,
  type StoreId,
  type Timer,
  regionId,
} from "@flaredb/rdb-base";
import type { StoreIdent } from "@flaredb/rdb-storage";
import type { KeepaliveOptions, Wire } from "@flaredb/rdb-wire";
import type { StoreConfig } from "../config.ts";
import { messageKind } from "../metrics/message-kind.ts";
import { type StoreMetrics, makeStoreMetrics } from "../metrics/store-metrics.ts";
import type { PeerMessage, Refusal } from "../store/peer-message.ts";
import type { OutgoingSnapshot, Transport } from "../store/ports.ts";
import type { StoreHandle } from "../store/store-handle.ts";
import type { AddressBook } from "./address-book.ts";
import { Liveness } from "./liveness.ts";
import { OnceLog } from "./once-log.ts";
import { type Lane, StoreLink } from "./store-link.ts";

/** What the transport tells the loop. */
export type TransportEvents = Pick<StoreHandle, "unreachable" | "storeSilent" | "storeReturned">;

export interface StoreTransportOptions {
  readonly ident: StoreIdent;
  /** Drawn by this start of the process; a safe integer. */
  readonly bootId: number;
  readonly wire: Wire;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly config: Pick<StoreConfig, "transport" | "livenessIntervalMs" | "storeSilentMs" | "outgoingHost">;
  readonly addressBook: AddressBook;
  /** Takes over the sending of snapshots. */
  readonly sendSnapshot: (outgoing: OutgoingSnapshot) => void;
  /** Whether this Store's disk stands still: then it must not look alive. */
  readonly isStalled: () => boolean;
  /** Default: nobody looks. */
  readonly metrics?: StoreMetrics | undefined;
  /** When another Store's connection is taken for dead. Default: rdb-wire's. */
  readonly keepalive?: KeepaliveOptions;
}

/** The way to the other Stores over batch streams; see {@link StoreLink}. One link to each Store that PD named. */
export class StoreTransport implements Transport {
  readonly liveness: Liveness;
  readonly #options: StoreTransportOptions;
  readonly #metrics: StoreMetrics;
  readonly #links = new Map<StoreId, StoreLink>();
  readonly #refusalsLogged = new OnceLog();
  readonly #passIntervalMs: number;
  readonly #stopListening: () => void;
  #events: TransportEvents | undefined;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: StoreTransportOptions) {
    this.#options = options;
    this.#metrics = options.metrics ?? makeStoreMetrics();
    // A sign of life follows at the latest two passes after the last message.
    this.#passIntervalMs = options.config.livenessIntervalMs / 2;
    this.liveness = new Liveness({
      clock: options.clock,
      storeSilentMs: options.config.storeSilentMs,
      checkIntervalMs: this.#passIntervalMs,
      events: {
        storeSilent: (storeId) => this.#events?.storeSilent(storeId),
        storeReturned: (storeId) => this.#events?.storeReturned(storeId),
      },
    });
    this.#stopListening = options.addressBook.onChange(() => this.#matchAddressBook());
  }

  /** Connects. Before this nothing is sent, and nobody is told anything. */
  start(events: TransportEvents): void {
    this.#events = events;
    this.#matchAddressBook();
    this.#pass();
  }

  isAlive(storeId: StoreId): boolean {
    return this.liveness.isAlive(storeId);
  }

  send(message: PeerMessage): boolean {
    const { payload } = message;
    if (payload.kind === "raft" && payload.message.from !== message.fromPeer.id) {
      // Only a forwarded MsgTransferLeader speaks for another peer, and PD asks the leader itself.
      return false;
    }
    const sent = this.#links.get(message.toPeer.storeId)?.send(message) ?? false;
    const { messagesSent, messagesDropped } = this.#metrics;
    (sent ? messagesSent : messagesDropped)[messageKind(message)].value++;
    return sent;
  }

  sendSnapshot(outgoing: OutgoingSnapshot): void {
    this.#metrics.messagesSent.snapshot.value++;
    this.#options.sendSnapshot(outgoing);
  }

  /** Ends every connection. What waits is dropped. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#stopListening();
    for (const link of this.#links.values()) {
      link.close();
    }
    this.#links.clear();
  }

  #pass(): void {
    this.liveness.check();
    if (!this.#options.isStalled()) {
      for (const link of this.#links.values()) {
        link.showLife(this.#passIntervalMs);
      }
    }
    this.#timer = this.#options.clock.setTimer(this.#passIntervalMs, () => this.#pass());
  }

  #matchAddressBook(): void {
    if (this.#isClosed || this.#events === undefined) {
      return;
    }
    const wanted = this.#options.addressBook.entries();
    for (const [storeId, link] of this.#links) {
      if (wanted.get(storeId) !== link.address) {
        link.close();
        this.#links.delete(storeId);
        if (!wanted.has(storeId)) {
          this.liveness.forget(storeId);
        }
        this.#events.unreachable(storeId, undefined);
      }
    }
    for (const [storeId, address] of wanted) {
      if (storeId !== this.#options.ident.storeId && !this.#links.has(storeId)) {
        this.liveness.expect(storeId);
        this.#links.set(storeId, this.#open(storeId, address));
      }
    }
  }

  #open(storeId: StoreId, address: string): StoreLink {
    const { ident, bootId, wire, clock, random, config, keepalive, logger } = this.#options;
    const fields = { store: storeId, address };
    return new StoreLink({
      address,
      header: { clusterId: ident.clusterId, fromStoreId: ident.storeId, toStoreId: storeId, bootId },
      wire,
      clock,
      random,
      localAddress: config.outgoingHost,
      batchSent: (count) => this.#metrics.messageBatch.observe(count),
      ...(keepalive === undefined ? {} : { keepalive }),
      ...config.transport,
      onUp: (lane) => logger.debug({ ...fields, lane }, "connected to Store"),
      onDown: (lane, error) => this.#laneDown(storeId, lane, error),
      onRefused: (refusal) => this.#refused(storeId, refusal),
    });
  }

  #laneDown(storeId: StoreId, lane: Lane, error: RdbError): void {
    this.#options.logger.info({ store: storeId, lane, reason: error.message }, "connection to Store lost");
    this.#events?.unreachable(storeId, undefined);
  }

  #refused(storeId: StoreId, refusal: Refusal): void {
    const { regionId: region, toPeerId: peer, reason } = refusal;
    if (this.#refusalsLogged.isNew(`${storeId} ${region} ${reason}`)) {
      this.#options.logger.warn({ store: storeId, region, peer, reason }, "message refused by Store");
    }
    // Region 0: the whole batch was refused.
    this.#events?.unreachable(storeId, region === regionId(0) ? undefined : region);
  }
}
