import { type PeerId, RdbError, type Region, type RegionId, peerOnStore } from "@flaredb/rdb-base";
import type { RegionLocalState } from "@flaredb/rdb-storage";
import type { PeerContext } from "../peer/peer-context.ts";
import type { Peer } from "../peer/peer.ts";
import type { ReceivedSnapshot } from "./ports.ts";

/** A peer that does not run: one that stopped, or one that a start of the Store could not read. */
export type HaltedPeer = Peer | UnreadablePeer;

/**
 * A peer whose Raft state or log a start of the Store could not read. It has promised what nobody knows any more, so it
 * never runs: it votes for nobody and serves nobody. It keeps its Region's place, as a halted peer does, so that nothing
 * newer gets keys that it has rows of, and its leader hears that it is damaged and PD replaces it.
 */
export class UnreadablePeer {
  readonly id: PeerId;
  readonly region: Region;
  /** False: it waited for its first snapshot, and its Region's range says nothing. */
  readonly isInitialised: boolean;
  /** What it may have rows of: none before its first snapshot. */
  readonly claims: readonly Region[];
  /** Snapshots come to running peers only; files of one that was being installed go with the next start of the Store. */
  readonly installer = {
    drop: ({ snapshotId }: ReceivedSnapshot): void => void this.#context.snapshotFiles.remove(snapshotId),
    dropInstalling: (): void => {},
  };
  readonly #context: PeerContext;

  /** @throws RdbError RDB_DATA_CORRUPT when the Region does not even list a peer here */
  constructor(context: PeerContext, { region, state }: RegionLocalState) {
    const info = peerOnStore(region, context.storeId);
    if (info === undefined) {
      throw new RdbError(
        "RDB_DATA_CORRUPT",
        `Region ${region.id} is stored on Store ${context.storeId} but lists no peer there`,
      );
    }
    this.id = info.id;
    this.region = region;
    this.isInitialised = state !== "Uninitialised";
    this.claims = this.isInitialised ? [region] : [];
    this.#context = context;
  }

  get regionId(): RegionId {
    return this.region.id;
  }

  /** Nothing of it runs. */
  stop(): void {}

  /** Its Region's peers tell it when its leader reaches it; PD is asked in case none does. */
  askWhetherRemoved(): void {
    this.#context.askPd(this.regionId);
  }
}
