import { index, peerId, type PeerId, SeededRandom, term } from "@flaredb/rdb-base";
import { decodeConfChange } from "../conf-change/codec.ts";
import type { RaftConfig, RaftLogger } from "../config.ts";
import { EMPTY_CONF_STATE } from "../empty-state.ts";
import { MemoryStorage } from "../memory-storage.ts";
import { type Entry, LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message } from "../messages.ts";
import { RawNode } from "../raw-node.ts";
import type { Ready } from "../ready.ts";

const silent: RaftLogger = { debug() {}, info() {}, warn() {}, error() {} };

/** Ids of peers. */
export const ids = (...values: number[]): PeerId[] => values.map(peerId);

/** A peer with a driver that does everything at once. */
export class InstantPeer {
  readonly storage = new MemoryStorage();
  readonly node: RawNode;
  readonly applied: Entry[] = [];
  readonly #config: RaftConfig;

  constructor(id: number, overrides: Partial<RaftConfig> = {}) {
    const confState = { ...EMPTY_CONF_STATE, voters: ids(1, 2, 3) };
    this.storage.applySnapshot({
      metadata: { confState, index: index(1), term: term(1) },
      data: new Uint8Array(0),
    });
    this.#config = {
      id: peerId(id),
      electionTicks: 10,
      heartbeatTicks: 1,
      storage: this.storage,
      random: new SeededRandom(id),
      logger: silent,
      maxInflightMessages: 256,
      ...overrides,
    };
    this.node = new RawNode(this.#config);
  }

  /** Does the work of every Ready. Returns what is for other peers. */
  work(): Message[] {
    const out: Message[] = [];
    while (this.node.hasReady()) {
      const ready = this.node.ready();
      if (this.#config.asyncStorageWrites) {
        out.push(...this.#workAsync(ready));
      } else {
        this.#persist(ready);
        this.#apply(ready.committedEntries);
        out.push(...ready.messages);
        this.node.advance();
      }
    }
    return out;
  }

  #workAsync(ready: Ready): Message[] {
    const out: Message[] = [];
    for (const message of ready.messages) {
      if (message.to === LOCAL_APPEND_THREAD) {
        const { term: at, vote, commit } = message;
        const hardState = at === 0 ? undefined : { term: term(at), vote, commit: index(commit) };
        this.#persist({ hardState, snapshot: message.snapshot, entries: message.entries });
      } else if (message.to === LOCAL_APPLY_THREAD) {
        this.#apply(message.entries);
      } else {
        out.push(message);
      }
      for (const response of message.responses) {
        if (response.to === this.node.id) {
          this.node.step(response);
        } else {
          out.push(response);
        }
      }
    }
    return out;
  }

  #persist({ hardState, snapshot, entries }: Pick<Ready, "hardState" | "snapshot" | "entries">): void {
    if (hardState !== undefined) {
      this.storage.setHardState(hardState);
    }
    if (snapshot !== undefined) {
      this.storage.applySnapshot(snapshot);
    }
    this.storage.append(entries);
  }

  #apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.applied.push(entry);
      const change = decodeConfChange(entry.type, entry.data);
      if (change !== undefined) {
        this.node.applyConfChange(change);
      }
    }
  }
}

/** Delivers until nobody has anything to say. */
export function settle(peers: readonly InstantPeer[]): void {
  for (;;) {
    const messages = peers.flatMap((peer) => peer.work());
    if (messages.length === 0) {
      return;
    }
    for (const message of messages) {
      peers.find((peer) => peer.node.id === message.to)?.node.step(message);
    }
  }
}

/** Three peers, the first of which leads. */
export function group(overrides: Partial<RaftConfig> = {}): [InstantPeer, InstantPeer, InstantPeer] {
  const peers: [InstantPeer, InstantPeer, InstantPeer] = [
    new InstantPeer(1, overrides),
    new InstantPeer(2, overrides),
    new InstantPeer(3, overrides),
  ];
  peers[0].node.campaign();
  settle(peers);
  return peers;
}
