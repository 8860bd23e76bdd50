import { SeededRandom, assert, index, peerId, term } from "@flaredb/rdb-base";
import {
  EMPTY_CONF_STATE,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  MemoryStorage,
  type Message,
  RawNode,
} from "@flaredb/rdb-raft";

const PEER_COUNT = 3;
/** Entries that are kept behind what is applied; older ones go, or the log would fill the memory. */
const KEPT_COUNT = 1_000;

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Three peers in one process that persist at once and hand each other their messages. The first one leads. */
export class RaftGroup {
  readonly #storages = Array.from({ length: PEER_COUNT }, () => new MemoryStorage());
  readonly #peers: readonly RawNode[];

  constructor() {
    const voters = Array.from({ length: PEER_COUNT }, (_, at) => peerId(at + 1));
    this.#peers = this.#storages.map((storage, at) => {
      const confState = { ...EMPTY_CONF_STATE, voters };
      storage.applySnapshot({
        metadata: { confState, index: index(1), term: term(1) },
        data: new Uint8Array(0),
      });
      return new RawNode({
        id: peerId(at + 1),
        electionTicks: 10,
        heartbeatTicks: 1,
        storage,
        random: new SeededRandom(at),
        logger: silent,
        asyncStorageWrites: true,
        maxInflightMessages: 256,
      });
    });
    this.#leader.campaign();
    this.settle();
    assert(this.#leader.isLeader, "the only peer that campaigns is elected");
  }

  /** Proposes them in one step, and works until all three peers have applied them. */
  replicate(datas: readonly Uint8Array[]): void {
    this.#leader.proposeBatch(datas);
    this.settle();
    this.#compact();
  }

  /** Works until nobody has anything to do. */
  settle(): void {
    for (let isBusy = true; isBusy; ) {
      isBusy = false;
      for (const [at, peer] of this.#peers.entries()) {
        while (peer.hasReady()) {
          isBusy = true;
          for (const message of peer.ready().messages) {
            this.#deliver(at, message);
          }
        }
      }
    }
  }

  get #leader(): RawNode {
    return this.#peers[0] as RawNode;
  }

  #deliver(from: number, message: Message): void {
    if (message.to === LOCAL_APPEND_THREAD) {
      const storage = this.#storages[from] as MemoryStorage;
      if (message.term !== 0) {
        const { vote, commit } = message;
        storage.setHardState({ term: term(message.term), vote, commit: index(commit) });
      }
      storage.append(message.entries);
    } else if (message.to !== LOCAL_APPLY_THREAD) {
      this.#step(message);
    }
    for (const response of message.responses) {
      this.#step(response);
    }
  }

  #step(message: Message): void {
    this.#peers[message.to - 1]?.step(message);
  }

  #compact(): void {
    for (const [at, peer] of this.#peers.entries()) {
      const storage = this.#storages[at] as MemoryStorage;
      if (peer.appliedIndex - storage.firstIndex() > 2 * KEPT_COUNT) {
        storage.compact(index(peer.appliedIndex - KEPT_COUNT));
      }
    }
  }
}
