import type { Peer, PeerId, RegionId, Term } from "@flaredb/rdb-base";
import type { Violation } from "./violation.ts";

/** As much of a peer's status as tells whether it may sleep. */
export interface SleepingPeer {
  readonly region: { readonly id: RegionId; readonly peers: readonly Pick<Peer, "id">[] };
  readonly peerId: PeerId;
  readonly term: Term;
  readonly lastIndex: number;
  readonly isLeader: boolean;
  readonly isAsleep: boolean;
  /** Of a leader: peers on Stores that it does not hear of. */
  readonly downPeerIds: readonly PeerId[];
}

/** A Store that is heard of again wakes its leaders within two ticks: what is wrong for longer is wrong. */
const LOOKS_COUNT = 4;

/**
 * Whether leaders sleep only when every live peer has everything (DESIGN §4): nobody brings a peer up to date while its
 * leader sleeps, so a Region that stays idle would keep one replica less than it seems to have.
 */
export class SleepWatch {
  /** Peers that lag behind a sleeping leader, and at how many looks in a row. */
  #lagging = new Map<string, number>();

  /** @param peers of all Stores that run, as they are at one moment */
  look(peers: readonly SleepingPeer[]): Violation | undefined {
    const before = this.#lagging;
    this.#lagging = new Map();
    for (const leader of peers) {
      if (!leader.isLeader || !leader.isAsleep) {
        continue;
      }
      // One that was removed may be there still.
      const members = new Set(leader.region.peers.map(({ id }) => id));
      const others = peers.filter(
        ({ region, peerId }) =>
          region.id === leader.region.id && peerId !== leader.peerId && members.has(peerId),
      );
      if (others.some(({ term }) => term > leader.term)) {
        // It was deposed and does not know.
        continue;
      }
      for (const { peerId, lastIndex } of others) {
        if (lastIndex >= leader.lastIndex || leader.downPeerIds.includes(peerId)) {
          continue;
        }
        const what = `peer ${peerId} of Region ${leader.region.id} has entries up to ${lastIndex}, its leader, peer ${leader.peerId}, sleeps at ${leader.lastIndex} in term ${leader.term}`;
        const count = (before.get(what) ?? 0) + 1;
        this.#lagging.set(what, count);
        if (count === LOOKS_COUNT) {
          return { name: "a leader sleeps when all live peers have everything", message: what };
        }
      }
    }
    return undefined;
  }
}
