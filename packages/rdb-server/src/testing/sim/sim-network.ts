import {
  type Clock,
  type Random,
  type Region,
  type RegionId,
  type StoreId,
  regionId,
} from "@flaredb/rdb-base";
import { type SnapshotChunk, SnapshotChunkWriter } from "@flaredb/rdb-storage";
import type { PeerMessage, Refusal } from "../../store/peer-message.ts";
import type { OutgoingSnapshot } from "../../store/ports.ts";
import type { StoreHandle } from "../../store/store-handle.ts";
import { isUrgent } from "../../transport/urgent-slots.ts";
import type { ProcessClock } from "./process-clock.ts";

/** How one direction between two Stores behaves. */
export interface LinkState {
  /** Everything is swallowed without a word, as by a pulled cable. */
  readonly isCut: boolean;
  /** The part of messages that is lost, 0 to 1. */
  readonly lossRate: number;
  /** Each message takes a time drawn from here, in ms; messages of one lane keep their order. */
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

/** What a test does to a message on its way: nothing, or lose it, or hold it back for some ms. */
export type Interception = "deliver" | "drop" | { readonly delayMs: number };

/** One run of a Store, as the network sees it. */
export interface NetworkProcess {
  readonly storeId: StoreId;
  readonly bootId: bigint;
  readonly clock: ProcessClock;
  readonly handle: StoreHandle;
  heard(storeId: StoreId, bootId: bigint): void;
  keepSnapshot(snapshotId: string, region: Region, chunks: readonly SnapshotChunk[]): void;
}

const QUIET: LinkState = { isCut: false, lossRate: 0, minDelayMs: 0.1, maxDelayMs: 0.5 };
/** Snapshots travel slower than messages. */
const SNAPSHOT_DELAY_MS = 5;
/** A snapshot of which nothing is heard is given up after this long. */
const SNAPSHOT_TIMEOUT_MS = 1_000;

/**
 * The network between the Stores of a cluster: each direction of each pair can be cut, slow and lossy. Two lanes as in
 * production, so that a heartbeat may overtake an append.
 */
export class SimNetwork {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #links = new Map<string, LinkState>();
  readonly #processes = new Map<StoreId, NetworkProcess>();
  /** When the last message of a lane arrives: the next one comes not before it. */
  readonly #laneEnds = new Map<string, number>();
  #default: LinkState = QUIET;
  /** Sees every message that is sent. */
  onSend: (message: PeerMessage) => void = () => {};
  /** Decides about every message that is sent, MsgSnap too. */
  intercept: (message: PeerMessage) => Interception = () => "deliver";

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** A Store's process listens from now on. */
  attach(process: NetworkProcess): void {
    this.#processes.set(process.storeId, process);
  }

  /** A Store's process is gone: who was connected to it notices. Nothing happens when it never listened. */
  detach(process: NetworkProcess): void {
    if (this.#processes.get(process.storeId) !== process) {
      return;
    }
    this.#processes.delete(process.storeId);
    for (const other of this.#processes.values()) {
      this.#afterDelay(process.storeId, other.storeId, () =>
        other.clock.run(() => other.handle.unreachable(process.storeId, undefined)),
      );
    }
  }

  /** Changes all links, those named by `setLink` before too. */
  setAll(change: Partial<LinkState>): void {
    this.#default = { ...this.#default, ...change };
    for (const [key, link] of this.#links) {
      this.#links.set(key, { ...link, ...change });
    }
  }

  setLink(from: StoreId, to: StoreId, change: Partial<LinkState>): void {
    this.#links.set(linkKey(from, to), { ...this.#link(from, to), ...change });
  }

  /** Cuts both directions between two Stores. */
  cut(a: StoreId, b: StoreId): void {
    this.setLink(a, b, { isCut: true });
    this.setLink(b, a, { isCut: true });
  }

  /** Cuts every link between Stores of different groups. Stores that are in none stay as they are. */
  partition(...groups: readonly (readonly StoreId[])[]): void {
    for (const [place, group] of groups.entries()) {
      for (const other of groups.slice(place + 1)) {
        group.forEach((a) => other.forEach((b) => this.cut(a, b)));
      }
    }
  }

  /** Every link is as at the start, and nothing is intercepted. */
  heal(): void {
    this.#links.clear();
    this.#default = QUIET;
    this.intercept = () => "deliver";
  }

  /** As `Transport.send`, by this process. */
  send(from: NetworkProcess, message: PeerMessage): boolean {
    const to = message.toPeer.storeId;
    this.onSend(message);
    const verdict = this.intercept(message);
    const lane = `${from.storeId} ${from.bootId} ${to} ${isUrgent(message)}`;
    const extraMs = typeof verdict === "object" ? verdict.delayMs : 0;
    // What a test holds back is overtaken by what comes after it.
    const arrivesMs =
      extraMs > 0 ? this.#drawArrivalMs(from.storeId, to) + extraMs : this.#laneTurn(lane, from, to);
    if (verdict === "drop" || this.#isLost(from.storeId, to)) {
      return true;
    }
    const target = this.#processes.get(to);
    if (target === undefined) {
      return false;
    }
    this.#clock.setTimer(arrivesMs - this.#clock.monotonicMs(), () => this.#deliver(from, target, message));
    return true;
  }

  /** What tells others that this process lives, as the urgent lane does when it is quiet. */
  showLife(from: NetworkProcess): void {
    for (const target of this.#processes.values()) {
      if (target !== from && !this.#isLost(from.storeId, target.storeId)) {
        this.#afterDelay(from.storeId, target.storeId, () => this.#hear(from, target, () => {}));
      }
    }
  }

  /** As `Transport.sendSnapshot`, by this process. */
  sendSnapshot(from: NetworkProcess, outgoing: OutgoingSnapshot): void {
    const { message } = outgoing;
    const report = (ok: boolean): void =>
      from.clock.run(() =>
        from.handle.snapshotStatus({ regionId: message.regionId, toPeerId: message.toPeer.id, ok }),
      );
    this.onSend(message);
    const verdict = this.intercept(message);
    void readAll(outgoing).then((chunks) => {
      const delayMs = SNAPSHOT_DELAY_MS + (typeof verdict === "object" ? verdict.delayMs : 0);
      this.#clock.setTimer(delayMs, () => {
        const target = this.#processes.get(message.toPeer.storeId);
        const isLost = verdict === "drop" || this.#isLost(from.storeId, message.toPeer.storeId);
        if (target === undefined || isLost || from.clock.isDead) {
          this.#clock.setTimer(SNAPSHOT_TIMEOUT_MS, () => report(false));
          return;
        }
        this.#hear(from, target, () => {
          const accepted = target.handle.acceptsSnapshot(message, outgoing.region) === true;
          if (accepted) {
            const { snapshotId, region } = outgoing;
            target.keepSnapshot(snapshotId, region, chunks);
            target.handle.snapshotReceived({ snapshotId, message, region });
          }
          this.#afterDelay(target.storeId, from.storeId, () => report(accepted));
        });
      });
    });
  }

  #deliver(from: NetworkProcess, target: NetworkProcess, message: PeerMessage): void {
    // A connection does not outlive the process it goes to, and a cable that was pulled meanwhile carries nothing.
    const isGone = this.#processes.get(target.storeId) !== target;
    if (isGone || this.#link(from.storeId, target.storeId).isCut) {
      return;
    }
    const refuse = (refusals: readonly Refusal[]): void => {
      for (const refusal of refusals) {
        this.#refused(from, target.storeId, refusal.regionId);
      }
    };
    this.#hear(from, target, () => target.handle.receive([message], refuse));
  }

  #refused(from: NetworkProcess, by: StoreId, region: RegionId): void {
    if (!this.#isLost(by, from.storeId)) {
      const named = region === regionId(0) ? undefined : region;
      this.#afterDelay(by, from.storeId, () => from.clock.run(() => from.handle.unreachable(by, named)));
    }
  }

  #hear(from: NetworkProcess, target: NetworkProcess, then: () => void): void {
    target.clock.run(() => {
      target.heard(from.storeId, from.bootId);
      then();
    });
  }

  #isLost(from: StoreId, to: StoreId): boolean {
    const { isCut, lossRate } = this.#link(from, to);
    return isCut || (lossRate > 0 && this.#random.nextFraction() < lossRate);
  }

  #laneTurn(lane: string, from: NetworkProcess, to: StoreId): number {
    const arrivesMs = Math.max(this.#laneEnds.get(lane) ?? 0, this.#drawArrivalMs(from.storeId, to));
    this.#laneEnds.set(lane, arrivesMs);
    return arrivesMs;
  }

  #drawArrivalMs(from: StoreId, to: StoreId): number {
    const { minDelayMs, maxDelayMs } = this.#link(from, to);
    return this.#clock.monotonicMs() + minDelayMs + this.#random.nextFraction() * (maxDelayMs - minDelayMs);
  }

  #afterDelay(from: StoreId, to: StoreId, callback: () => void): void {
    this.#clock.setTimer(this.#drawArrivalMs(from, to) - this.#clock.monotonicMs(), callback);
  }

  #link(from: StoreId, to: StoreId): LinkState {
    return this.#links.get(linkKey(from, to)) ?? this.#default;
  }
}

function linkKey(from: StoreId, to: StoreId): string {
  return `${from} ${to}`;
}

/** The whole snapshot; its cursors are closed. */
async function readAll({ cursors }: OutgoingSnapshot): Promise<SnapshotChunk[]> {
  const writer = new SnapshotChunkWriter(cursors);
  const chunks: SnapshotChunk[] = [];
  for (let chunk = await writer.next(); chunk !== undefined; chunk = await writer.next()) {
    chunks.push(chunk);
  }
  writer.close();
  return chunks;
}
