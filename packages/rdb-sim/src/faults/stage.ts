import type { FaultyCluster, FaultyProcess, RegionAt } from "./injector.ts";

/** What a fault in stages has done so far, and what it is still to do. */
export class Stage {
  readonly #cluster: FaultyCluster;
  readonly #undos: (() => void)[] = [];
  #isOver = false;

  constructor(cluster: FaultyCluster) {
    this.#cluster = cluster;
  }

  /** @param undo may be called more than once */
  add(undo: () => void): void {
    this.#undos.push(undo);
  }

  /** Does it then, unless the fault is over by then. */
  after(delayMs: number, callback: () => void): void {
    this.#cluster.setTimer(delayMs, () => {
      if (!this.#isOver) {
        callback();
      }
    });
  }

  /** Nothing gets from the one to the other, until the end. */
  cut(from: FaultyProcess, to: FaultyProcess): void {
    this.add(this.#cluster.addNetworkFault({ kind: "one-way", from: from.name, to: to.name }));
  }

  /** The clients whose bit is set find out at once that the Store is out of reach. */
  cutClients(store: FaultyProcess, bits: number): void {
    for (const client of this.#cluster.clients.filter((_, place) => (bits & (1 << place)) !== 0)) {
      this.cut(client, store);
      this.cut(store, client);
      this.#cluster.resetConnections(client.name, store.name);
    }
  }

  /** Takes back what was done. */
  end(): void {
    this.#isOver = true;
    for (const undo of this.#undos) {
      undo();
    }
  }
}

/** The Region's leader, or some Store when none is known, and the other Stores. */
export function rolesIn(
  cluster: FaultyCluster,
  region: RegionAt,
): { readonly leader: FaultyProcess; readonly others: readonly FaultyProcess[] } {
  const { stores } = cluster;
  const place = typeof region === "number" ? region : 0;
  const leader = cluster.leaderOf(region) ?? (stores[place % stores.length] as FaultyProcess);
  return { leader, others: stores.filter((store) => store !== leader) };
}

/** Of the other Stores those that have a peer of the Region; all of them when none is known to. */
export function followersOf(cluster: FaultyCluster, region: RegionAt): readonly FaultyProcess[] {
  const { others } = rolesIn(cluster, region);
  const followers = others.filter((store) => cluster.hasPeer(region, store));
  return followers.length === 0 ? others : followers;
}
