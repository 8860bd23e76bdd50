import {
  type Logger,
  MINUTE_MS,
  type PeerId,
  RdbError,
  type Region,
  type RegionId,
  index,
  term,
} from "@flaredb/rdb-base";
import { EMPTY_CONF_STATE } from "@flaredb/rdb-raft";
import {
  type Engine,
  RaftLogStore,
  WritePart,
  destroyRegion,
  destroyUninitialised,
  putRegionLocalState,
  rangesBeside,
} from "@flaredb/rdb-storage";
import { Peer } from "../peer/peer.ts";
import type { PeerContext } from "../peer/peer-context.ts";
import { SessionTable } from "../peer/session-table.ts";
import { isUnreadable } from "../peer/unreadable.ts";
import { Farewells } from "./farewells.ts";
import { PeerReopener } from "./peer-reopener.ts";
import type { PeerMessage } from "./peer-message.ts";
import type { RegionMap } from "./region-map.ts";
import type { HaltedPeer } from "./unreadable-peer.ts";

/** How often a halted peer asks whether its Region has it still: what it holds stands in the way of others. */
const HALTED_ASK_INTERVAL_MS = 1 * MINUTE_MS;

/** How a Store's peers come by a message and how they go (DESIGN §5, Removed peers). */
export class PeerLifecycle {
  readonly #context: PeerContext;
  readonly #peers: RegionMap;
  readonly #logger: Logger;
  readonly farewells: Farewells;
  readonly #reopener: PeerReopener;
  /** Peers whose removal was applied in this turn, beside their last Region. */
  readonly #removed = new Map<Peer, Region>();
  #lastAskMs: number;

  constructor(context: PeerContext, peers: RegionMap) {
    this.#context = context;
    this.#peers = peers;
    this.#logger = context.logger;
    this.farewells = new Farewells(context.transport);
    this.#reopener = new PeerReopener(context, peers);
    this.#lastAskMs = context.clock.monotonicMs();
  }

  tick(nowMs: number): void {
    this.farewells.tick(nowMs);
    this.#reopener.tick(nowMs);
    if (nowMs - this.#lastAskMs >= HALTED_ASK_INTERVAL_MS) {
      this.#lastAskMs = nowMs;
      this.#peers.allHalted().forEach((peer) => peer.askWhetherRemoved());
    }
  }

  /** The Store stops. */
  stop(): void {
    this.#reopener.stop();
  }

  /**
   * Makes an empty peer that waits for its first snapshot. Its existence is durable before its vote is given, since parts
   * reach the disk in their order, and before it answers a heartbeat.
   */
  makeEmpty({ regionId, toPeer, epoch }: PeerMessage): void {
    const { engine } = this.#context;
    // Without a voter it is nobody's configuration: whoever is not in it was not removed for that.
    const region = emptyRegion(regionId, { epoch, peers: [{ ...toPeer, role: "Learner" }] });
    const raftState = { regionId, index: index(0), term: term(0), confState: EMPTY_CONF_STATE };
    const part = new WritePart();
    putRegionLocalState(part, { state: "Uninitialised", region });
    RaftLogStore.initialise(part, raftState);
    part.sync = true;
    const record = { isDurable: false };
    engine.submit(part, () => {
      record.isDurable = true;
    });
    const start = { region, applyState: EMPTY_APPLY_STATE, raftState, sessions: SessionTable.of([]), record };
    this.#peers.add(Peer.begin(this.#context, { ...start, isNew: true, isInitialised: false }));
    this.#logger.info({ region: regionId, peer: toPeer.id }, "an empty peer waits for its first snapshot");
  }

  /** The peer's removal is applied. It goes when the turn ends: entries of its log are in work. */
  removed(
    last: Region,
    { peerId, farewells }: { readonly peerId: PeerId; readonly farewells: readonly PeerMessage[] },
  ): void {
    const peer = this.#peers.get(last.id);
    if (peer?.id === peerId) {
      this.#removed.set(peer, last);
      farewells.forEach((farewell) => this.farewells.keep(farewell));
    }
  }

  /** At the end of a turn. */
  destroyRemoved(): void {
    for (const [peer, last] of this.#removed) {
      this.destroy(peer, "its removal is applied", last);
    }
    this.#removed.clear();
  }

  /**
   * Stops the peer, deletes all that it has, and leaves a tombstone.
   *
   * @param why the evidence; see DESIGN §5
   * @param last the Region as it is to be remembered; with this peer in it
   */
  destroy(peer: HaltedPeer, why: string, last: Region = peer.region): void {
    if (this.#peers.holder(peer.regionId) !== peer) {
      return;
    }
    this.#logger.info(
      { region: peer.regionId, peer: peer.id, why },
      "the peer was removed: it destroys itself",
    );
    const { claims } = peer;
    this.#peers.remove(peer.regionId);
    peer.stop();
    peer.installer.dropInstalling();
    const spared = this.#peers.claimedByOthers(peer.regionId);
    void destroyPeer(this.#context.engine, last, { claims, spared });
    this.#context.regionChanged(peer.regionId);
  }

  /** Does work of a peer that may read its log. Where the disk does not give that back the peer halts, and no other. */
  attempt(peer: Peer, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!isUnreadable(error)) {
        throw error;
      }
      this.halt(peer.regionId, peer.id, error);
    }
  }

  /**
   * The peer cannot go on: it stops alone. Its data stays, for people to look at and for the next start, its own if what
   * stopped it may pass; so no other Region may get its keys here, until there is evidence that it was removed.
   */
  halt(regionId: RegionId, peerId: PeerId, error: unknown): void {
    const peer = this.#peers.get(regionId);
    if (peer === undefined || peer.id !== peerId) {
      return;
    }
    this.#logger.error(
      { region: regionId, peer: peerId, error: RdbError.from(error).message },
      "the peer stops: it cannot go on",
    );
    this.#peers.halt(peer);
    peer.stop();
    this.#reopener.halted(peer, error);
  }

  /** PD named the Region as it knows it. Only a newer configuration without the peer is evidence against it. */
  learn(known: Region): void {
    const peer = this.#peers.holder(known.id);
    if (
      peer !== undefined &&
      known.epoch.confVer > peer.region.epoch.confVer &&
      !known.peers.some((other) => other.id === peer.id)
    ) {
      this.destroy(peer, `PD knows the Region at conf_ver ${known.epoch.confVer} without it`);
    }
  }
}

/** How far an empty peer is. */
export const EMPTY_APPLY_STATE = { index: index(0), term: term(0), revision: 0, logTimeMs: 0 } as const;

/** A Region of which only its id and its peer here are known. Its range says nothing. */
function emptyRegion(id: RegionId, known: Pick<Region, "epoch" | "peers">): Region {
  return { id, startKey: new Uint8Array(0), endKey: new Uint8Array(0), ...known };
}

interface DestroyedRows {
  /** What the peer has rows of: two Regions in the middle of a snapshot, none when it was empty. */
  readonly claims: readonly Region[];
  /** What others have rows of. It overlaps only when the peer was found at a start to be out of date. */
  readonly spared: readonly Region[];
}

async function destroyPeer(engine: Engine, last: Region, { claims, spared }: DestroyedRows): Promise<void> {
  const arriving = claims.at(-1);
  if (arriving === undefined) {
    await destroyUninitialised(engine, last);
    return;
  }
  const { startKey, endKey } = arriving;
  for (const other of claims.slice(0, -1)) {
    rangesBeside(other, spared).forEach((range) => engine.deleteRange("data", range));
  }
  await destroyRegion(engine, { ...last, startKey, endKey }, spared);
}
