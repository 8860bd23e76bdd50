import { RdbError, type Region, assert, epochsEqual, formatRange, index, term } from "@flaredb/rdb-base";
import {
  type ApplyState,
  RaftLogStore,
  WritePart,
  deleteMergeRecord,
  getApplyState,
  getTakenRegions,
  putRegionLocalState,
  putTakenRegions,
  rangesBeside,
} from "@flaredb/rdb-storage";
import { adminRefusal } from "../peer/admin/admin-refusal.ts";
import { childStart, putChild, sessionRows } from "../peer/admin/apply-split.ts";
import { confStateOf } from "../peer/conf-state.ts";
import type { PeerContext } from "../peer/peer-context.ts";
import { Peer } from "../peer/peer.ts";
import { SessionTable } from "../peer/session-table.ts";
import type { AdminOutcome } from "./admin-command.ts";
import type { RecoverRegion, SurveyedPeer } from "./recover-region.ts";
import type { RegionMap } from "./region-map.ts";
import type { HaltedPeer } from "./unreadable-peer.ts";

/** Orders that wait for their turn; PD says again what did not fit. */
const WAITING_MAX_COUNT = 1_000;

/**
 * Brings Regions back whose quorum is lost (ADR 20): the peer here becomes the only one, by rewriting what it has on the
 * disk, not by its log, as nobody could commit that. One order at a time.
 */
export class RegionRecoverer {
  readonly #context: PeerContext;
  readonly #peers: RegionMap;
  #last: Promise<unknown> = Promise.resolve();
  #waitingCount = 0;

  constructor(context: PeerContext, peers: RegionMap) {
    this.#context = context;
    this.#peers = peers;
  }

  /** Every peer here, whatever its state. */
  survey(): SurveyedPeer[] {
    const running = [...this.#peers.values()].map(surveyed);
    return [...running, ...this.#peers.allHalted().map(stopped)];
  }

  /** Idempotent. Never rejects. */
  recover(order: RecoverRegion): Promise<AdminOutcome> {
    if (this.#waitingCount >= WAITING_MAX_COUNT) {
      return Promise.resolve(adminRefusal("Busy", `${this.#waitingCount} Regions wait to be recovered here`));
    }
    this.#waitingCount += 1;
    const outcome = this.#last.then(() => this.#attempt(order));
    this.#last = outcome;
    return outcome;
  }

  async #attempt(order: RecoverRegion): Promise<AdminOutcome> {
    this.#waitingCount -= 1;
    const peer = this.#peers.initialised(order.regionId);
    if (peer === undefined) {
      return adminRefusal("NotLeader", `Region ${order.regionId} has no running peer on this Store`);
    }
    if (isDone(peer, order)) {
      return { ok: true };
    }
    const refusal = refusalOf(peer, order);
    if (refusal !== undefined) {
      return refusal;
    }
    try {
      return await this.#rewrite(peer, order);
    } catch (error) {
      // The peer is halted; the next start of the Store opens it with what is on the disk by now.
      return adminRefusal(
        "Busy",
        `Region ${order.regionId} was not recovered: ${RdbError.from(error).message}`,
      );
    }
  }

  /** Between its stop and its new start the peer is halted: it keeps its keys, and nobody reaches it. */
  async #rewrite(peer: Peer, order: RecoverRegion): Promise<AdminOutcome> {
    const { engine, logger } = this.#context;
    const before = peer.region;
    this.#peers.halt(peer);
    peer.stop();
    // What it has submitted is durable before anything is taken from it.
    await engine.flush();
    const applyState = getApplyState(engine, peer.regionId);
    assert(applyState !== undefined, "an initialised peer has an ApplyState");
    const sessions = await SessionTable.load(engine, peer.regionId);
    if (!this.#peers.isHalted(peer)) {
      return adminRefusal("EpochNotMatch", `Region ${peer.regionId} left this Store meanwhile`);
    }
    const starts = this.#write(before, order, { applyState, sessions });
    await engine.flush();
    const peers: Peer[] = [];
    for (const start of starts) {
      peers.push(await Peer.open(this.#context, { ...start, isNew: false }));
    }
    if (!this.#peers.isHalted(peer)) {
      peers.forEach((each) => each.stop());
      return adminRefusal("EpochNotMatch", `Region ${peer.regionId} left this Store meanwhile`);
    }
    this.#peers.remove(peer.regionId);
    for (const each of peers) {
      this.#peers.add(each);
      this.#context.wantsTurn(each.regionId);
      this.#context.regionChanged(each.regionId);
    }
    logger.warn(
      { region: peer.regionId, peer: peer.id, ranges: order.pieces.map(formatRange) },
      "the Region lost its quorum: this peer is its only one from now on, as PD was told to order",
    );
    return { ok: true };
  }

  /** All of it in one synced part. @returns what is to be opened */
  #write(
    before: Region,
    { pieces, term: leastTerm, endsMerge }: RecoverRegion,
    { applyState, sessions }: { readonly applyState: ApplyState; readonly sessions: SessionTable },
  ): { readonly region: Region; readonly applyState: ApplyState }[] {
    const { engine } = this.#context;
    const [own, ...others] = pieces;
    assert(own !== undefined, "a recovered Region keeps something");
    const part = new WritePart();
    const known = RaftLogStore.hardStateOf(engine, own.id);
    assert(known !== undefined, "an initialised peer has a HardState");
    RaftLogStore.overwrite(part, own.id, {
      hardState: {
        ...known,
        // No vote or leader of a former term is worth anything now.
        ...{ term: term(Math.max(known.term + 1, leastTerm)), vote: 0 },
        commit: index(Math.max(known.commit, applyState.index)),
      },
      confState: confStateOf(own),
    });
    putRegionLocalState(part, { state: "Normal", region: own });
    if (endsMerge) {
      deleteMergeRecord(part, own.id);
    }
    const rows = sessionRows({ engine, region: () => before, sessions: () => sessions });
    const taken = getTakenRegions(engine, own.id);
    const children = others.map((region) => childStart(region, applyState));
    for (const child of children) {
      putChild(part, child, rows);
      if (taken.length > 0) {
        putTakenRegions(part, child.region.id, taken);
      }
    }
    part.sync = true;
    engine.submit(part);
    // A crash before this leaves rows that nobody can reach; the next start deletes them.
    const spared = [...pieces, ...this.#peers.claimedByOthers(own.id)];
    rangesBeside(before, spared).forEach((range) => engine.deleteRange("data", range));
    return [{ region: own, applyState }, ...children];
  }
}

function surveyed(peer: Peer): SurveyedPeer {
  const { region, peerId, term: now, commitIndex, appliedIndex, isDamaged } = peer.status();
  const last = peer.lastEntry();
  if (last === undefined) {
    return stopped(peer);
  }
  const target = peer.merge.prepared?.target;
  return {
    ...{ region, peerId, isDamaged, isHalted: false },
    ...{ term: now, lastTerm: last.term, lastIndex: last.index },
    ...{ commitIndex: index(commitIndex), appliedIndex: index(appliedIndex) },
    isEmpty: !peer.isInitialised,
    isInstalling: peer.isInstalling,
    mergeTarget: target === undefined ? undefined : { id: target.id, epoch: target.epoch },
  };
}

/** One of which only its place counts, if it has one: what an empty peer says of its range is nothing. */
function stopped({ region, id, isInitialised }: HaltedPeer): SurveyedPeer {
  return {
    ...{ region, peerId: id, isHalted: true, isEmpty: !isInitialised, isDamaged: false, isInstalling: false },
    ...{ term: term(0), lastTerm: term(0), lastIndex: index(0) },
    ...{ commitIndex: index(0), appliedIndex: index(0), mergeTarget: undefined },
  };
}

/** PD asks again until it has heard. Changes after it have raised the epoch further. */
function isDone(peer: Peer, { peerId, pieces }: RecoverRegion): boolean {
  return peer.id === peerId && peer.region.epoch.confVer >= (pieces[0]?.epoch.confVer ?? Infinity);
}

function refusalOf(peer: Peer, { peerId, epoch }: RecoverRegion): AdminOutcome | undefined {
  const { id, confVer, version } = { id: peer.id, ...peer.region.epoch };
  if (id !== peerId || !epochsEqual(peer.region.epoch, epoch)) {
    return adminRefusal(
      "EpochNotMatch",
      `Region ${peer.regionId} has peer ${id} at ${confVer}.${version} here, the plan was made for peer ${peerId} at ${epoch.confVer}.${epoch.version}`,
    );
  }
  if (peer.isInstalling) {
    return adminRefusal("Busy", `Region ${peer.regionId} is taking a snapshot here`);
  }
  return peer.check.isDamaged
    ? adminRefusal("Invalid", `the rows of Region ${peer.regionId} here were found to be wrong`)
    : undefined;
}
