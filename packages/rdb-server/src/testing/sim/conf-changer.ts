import { type Peer, type Random, type Region, SeededRandom, peerId } from "@flaredb/rdb-base";
import type { PeerChange } from "../../store/admin-command.ts";
import type { SimCluster } from "./sim-cluster.ts";

const PAUSE_MAX_MS = 200;
/** Peers that a Region has at least and at most; a group of two is the hardest. */
const PEERS_MIN_COUNT = 2;
const PEERS_MAX_COUNT = 4;
const FIRST_PEER_ID = 1_000;

/** As an unwise PD: asks for one random change of the first Region's peers after the other, and repeats nothing. */
export class ConfChanger {
  readonly #cluster: SimCluster;
  readonly #random: Random;
  #nextPeerId = FIRST_PEER_ID;
  #stopped = false;
  #running: Promise<void> | undefined;
  /** Commands that were taken. */
  takenCount = 0;
  readonly done: string[] = [];

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
    this.#random = new SeededRandom(cluster.random.nextInt(2 ** 31));
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock } = this.#cluster;
    while (!this.#stopped) {
      await new Promise<void>((resolve) => clock.setTimer(this.#random.nextInt(PAUSE_MAX_MS), resolve));
      await this.#attempt();
    }
  }

  async #attempt(): Promise<void> {
    const leader = this.#cluster.leader();
    if (leader === undefined || leader.clock.isSuspended) {
      return;
    }
    const { region } = this.#cluster.statusOf(leader);
    // What a leader reported last is what PD answers.
    this.#cluster.pdRegions.set(region.id, region);
    const changes = this.#draw(region);
    if (changes !== undefined) {
      const { id: regionId, epoch } = region;
      const outcome = await leader.store.changePeers({ regionId, epoch, changes });
      this.takenCount += outcome.ok ? 1 : 0;
      const what = changes.map(({ kind, peer }) => `${kind} ${peer.id} on ${peer.storeId}`).join(", ");
      const at = Math.floor(this.#cluster.clock.monotonicMs());
      this.done.push(`${at} ${what || "leave"}: ${outcome.ok ? "taken" : outcome.reason}`);
    }
  }

  #draw({ peers }: Region): PeerChange[] | undefined {
    if (peers.some((peer) => peer.role === "IncomingVoter" || peer.role === "DemotingVoter")) {
      return [];
    }
    const learner = this.#one(peers.filter((peer) => peer.role === "Learner"));
    const voter = this.#one(peers.filter((peer) => peer.role === "Voter"));
    switch (this.#random.nextInt(4)) {
      case 0:
        return peers.length < PEERS_MAX_COUNT ? this.#add(peers) : undefined;
      case 1:
        return learner === undefined ? undefined : [{ kind: "Promote", peer: learner }];
      case 2:
        return learner === undefined || voter === undefined
          ? undefined
          : [
              { kind: "Promote", peer: learner },
              { kind: "AddLearner", peer: voter },
            ];
      default: {
        const one = this.#one(peers);
        return one === undefined || peers.length <= PEERS_MIN_COUNT
          ? undefined
          : [{ kind: "Remove", peer: one }];
      }
    }
  }

  #add(peers: readonly Peer[]): PeerChange[] | undefined {
    const free = this.#cluster.storeIds.filter((id) => !peers.some((peer) => peer.storeId === id));
    const storeId = this.#one(free);
    if (storeId === undefined) {
      return undefined;
    }
    return [{ kind: "AddLearner", peer: { id: peerId(this.#nextPeerId++), storeId, role: "Learner" } }];
  }

  #one<T>(of: readonly T[]): T | undefined {
    return of[this.#random.nextInt(Math.max(1, of.length))];
  }
}
