import { assert, type PeerId } from "@flaredb/rdb-base";
import type { Message } from "../messages.ts";
import type { TestPeer } from "./test-peer.ts";

const MAX_MESSAGES = 100_000;

/** Peers that talk until they have nothing left to say, over links that can be cut. */
export class TestNetwork {
  readonly #peers = new Map<PeerId, TestPeer>();
  readonly #cut = new Set<string>();

  constructor(peers: readonly TestPeer[]) {
    for (const peer of peers) {
      this.#peers.set(peer.id, peer);
    }
  }

  peer(id: number): TestPeer {
    const peer = this.#peers.get(id as PeerId);
    assert(peer !== undefined, `peer ${id} is in the network`);
    return peer;
  }

  get peers(): readonly TestPeer[] {
    return [...this.#peers.values()];
  }

  /** Puts a peer, such as a restarted one, in the place of the one with its id. */
  replace(peer: TestPeer): void {
    this.#peers.set(peer.id, peer);
  }

  /** Cuts a peer off from all others. */
  isolate(id: number): void {
    for (const other of this.#peers.keys()) {
      this.#cut.add(`${id}-${other}`).add(`${other}-${id}`);
    }
  }

  /** Every link works again. */
  heal(): void {
    this.#cut.clear();
  }

  /** Delivers `first` and whatever is sent then, in order, until nobody sends anything. */
  settle(first: readonly Message[] = []): void {
    const queue = [...first, ...this.peers.flatMap((peer) => peer.drain())];
    for (let count = 0; count < queue.length; count++) {
      assert(count < MAX_MESSAGES, `peers settle within ${MAX_MESSAGES} messages`);
      const message = queue[count];
      const peer = message === undefined ? undefined : this.#peers.get(message.to as PeerId);
      if (message !== undefined && peer !== undefined && !this.#cut.has(`${message.from}-${message.to}`)) {
        queue.push(...peer.receive(message));
      }
    }
  }

  /** Lets a peer campaign and everybody answer. */
  campaign(id: number): void {
    this.peer(id).raft.campaign();
    this.settle();
  }
}
