import type { PeerId } from "@flaredb/rdb-base";

/** What the peers' hashes say. */
export type HashVerdict =
  /** More than half of the voters have these rows; `differing` are those heard of, of any role, that have others. */
  | { readonly kind: "majority"; readonly hash: Uint8Array; readonly differing: readonly PeerId[] }
  /** Every voter was heard of, and no hash has a majority: nobody can tell who is right. */
  | { readonly kind: "divided" }
  | { readonly kind: "open" };

/** The hashes that peers found at one entry. */
export class HashRound {
  /** Of the entry ComputeHash. */
  readonly index: number;
  readonly #hashes = new Map<PeerId, Uint8Array>();

  constructor(index: number) {
    this.index = index;
  }

  take(peerId: PeerId, hash: Uint8Array): void {
    this.#hashes.set(peerId, hash);
  }

  hashOf(peerId: PeerId): Uint8Array | undefined {
    return this.#hashes.get(peerId);
  }

  verdict(voters: readonly PeerId[]): HashVerdict {
    const counts = new Map<string, number>();
    let heardCount = 0;
    for (const voter of voters) {
      const hash = this.#hashes.get(voter);
      if (hash === undefined) {
        continue;
      }
      heardCount++;
      const name = nameOf(hash);
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      if (count * 2 > voters.length) {
        return { kind: "majority", hash, differing: this.#differingFrom(name) };
      }
    }
    return heardCount === voters.length ? { kind: "divided" } : { kind: "open" };
  }

  #differingFrom(name: string): PeerId[] {
    return [...this.#hashes].filter(([, hash]) => nameOf(hash) !== name).map(([id]) => id);
  }
}

/** False while either is not known. */
export function hashesEqual(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && nameOf(a) === nameOf(b);
}

function nameOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString("base64");
}
