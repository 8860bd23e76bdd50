import { type Frame, sizeOnLink } from "./frame.ts";
import { type Link, retransmission } from "./link.ts";
import type { SimNet } from "./sim-net.ts";
import type { SimSocket } from "./sim-socket.ts";

/** A sender that was not heard for this long is told that its connection is gone, as TCP does in the end. */
const GIVE_UP_MS = 60_000;
/** When the array of frames is cut: so that each frame is moved rarely. */
const COMPACT_COUNT = 64;

/**
 * One direction of a connection. As in TCP frames arrive in order and once, or the connection is lost: what a blocked
 * link swallowed is sent again when it is not blocked any more.
 */
export class Flow {
  readonly link: Link;
  readonly #net: SimNet;
  readonly #from: SimSocket;
  readonly #to: SimSocket;
  /** In order of arrival; those before #head have arrived. */
  #frames: Frame[] = [];
  #head = 0;
  #lastArrivalMs = 0;
  /** A timer is set, or the receiver's process has been asked to read. */
  #isBusy = false;
  #isCut = false;
  #retryMs: number = retransmission.firstMs;
  #stalledSinceMs: number | undefined;
  readonly #arrived = (): void => this.#frameArrived();
  readonly #read = (): void => this.#readFrames();

  constructor(net: SimNet, from: SimSocket, to: SimSocket) {
    this.#net = net;
    this.#from = from;
    this.#to = to;
    this.link = net.linkBetween(from.host, to.host);
  }

  send(frame: Frame): void {
    if (this.#isCut) {
      return;
    }
    const { clock, random } = this.#net;
    const nowMs = clock.monotonicMs();
    const arrivesMs = this.link.arrivalMs(nowMs, sizeOnLink(frame), random) + this.link.repeatDelayMs(random);
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, arrivesMs);
    frame.arrivesMs = this.#lastArrivalMs;
    this.#frames.push(frame);
    if (!this.#isBusy) {
      this.#wait(this.#lastArrivalMs - nowMs);
    }
  }

  /** Nothing arrives any more. */
  cut(): void {
    this.#isCut = true;
    this.#frames = [];
    this.#head = 0;
  }

  #wait(delayMs: number): void {
    this.#isBusy = true;
    this.#net.clock.setTimer(delayMs, this.#arrived);
  }

  /** On the receiver's host, whatever its process does. */
  #frameArrived(): void {
    if (this.#isCut) {
      return;
    }
    if (!this.#net.carries(this.link)) {
      this.#stall();
      return;
    }
    this.#retryMs = retransmission.firstMs;
    this.#stalledSinceMs = undefined;
    if (this.#to.prepareToReceive()) {
      this.#to.process.run(this.#read);
    } else {
      this.cut();
    }
  }

  #stall(): void {
    const nowMs = this.#net.clock.monotonicMs();
    this.#stalledSinceMs ??= nowMs;
    if (nowMs - this.#stalledSinceMs > GIVE_UP_MS) {
      this.cut();
      this.#from.wasReset("ETIMEDOUT");
      return;
    }
    this.#wait(this.#retryMs);
    this.#retryMs = Math.min(retransmission.maxMs, 2 * this.#retryMs);
  }

  /** In the receiver's process. */
  #readFrames(): void {
    if (!this.#isCut && !this.#net.carries(this.link)) {
      // It was stopped meanwhile, and now the link is blocked.
      this.#stall();
      return;
    }
    const nowMs = this.#net.clock.monotonicMs();
    while (!this.#isCut && this.#head < this.#frames.length) {
      const next = this.#frames[this.#head] as Frame;
      if (next.arrivesMs > nowMs) {
        break;
      }
      this.#head++;
      this.#to.receive(next);
    }
    if (this.#isCut) {
      return;
    }
    if (this.#head >= COMPACT_COUNT || this.#head === this.#frames.length) {
      this.#frames.splice(0, this.#head);
      this.#head = 0;
    }
    const next = this.#frames[this.#head];
    if (next === undefined) {
      this.#isBusy = false;
    } else {
      this.#wait(next.arrivesMs - nowMs);
    }
  }
}
