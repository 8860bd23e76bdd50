import { type Index, type Peer, type Region, epochsEqual, index } from "@flaredb/rdb-base";
import { regionToProto } from "@flaredb/rdb-proto";
import type { RawNode } from "@flaredb/rdb-raft";
import type { RaftLogStore } from "@flaredb/rdb-storage";
import type { AdminOutcome, MergeRegion } from "../../store/admin-command.ts";
import { type CommandBody, decodeLogCommand } from "../commands.ts";
import { type AdminRefusal, adminRefusal, targetRefusal } from "./admin-refusal.ts";
import { entriesToCarry } from "./merge-entries.ts";
import { mergeProblem } from "./merge-plan.ts";

/** What the source of a merge is proposed by: its leader. */
export interface ProposeMergeOwner {
  readonly node: RawNode;
  readonly log: RaftLogStore;
  region(): Region;
  isMerging(): boolean;
  /** The Region's other peers. */
  others(): readonly Peer[];
  isAlive(peer: Peer): boolean;
  /** Whether slices of the log are still to be deleted. */
  isCuttingLog(): boolean;
  /** Bytes of what is remembered of clients' writes. */
  sessionBytes(): number;
  propose(body: CommandBody): boolean;
}

/** The target's peer on the same Store. */
export interface LocalTarget {
  readonly region: Region;
  readonly isInitialised: boolean;
  readonly isMerging: boolean;
  readonly sessionBytes: number;
}

/** A merge copies what both Regions remember of clients' writes in one part: more than this is not copied. */
const SESSIONS_MAX_BYTES = 4 * 1024 * 1024;

/**
 * Proposes that the Region waits to be taken, after everything that can be known before: both Regions whole, on the
 * same Stores and neighbours, every peer of the source alive and near enough for its last entries to travel along.
 */
export function proposePrepareMerge(
  owner: ProposeMergeOwner,
  command: MergeRegion,
  target: LocalTarget | undefined,
): AdminOutcome {
  const refusal =
    targetRefusal(owner, command) ?? neighbourRefusal(owner, command.target, target) ?? peersRefusal(owner);
  if (refusal !== undefined) {
    return refusal;
  }
  const minMatchedIndex = leastMatched(owner);
  const carried = entriesToCarry(owner.log, minMatchedIndex, index(owner.node.lastIndex));
  if (owner.node.lastIndex > minMatchedIndex && typeof carried === "string") {
    return adminRefusal("PeerBehind", `a peer is too far behind: ${carried}`);
  }
  const entries = typeof carried === "string" ? [] : carried.entries;
  if (owner.isCuttingLog() || entries.some((entry) => !mayTravel(entry, minMatchedIndex))) {
    return adminRefusal("Busy", `another change of Region ${owner.region().id} is under way in its log`);
  }
  const body: CommandBody = {
    case: "prepareMerge",
    value: {
      $typeName: "rdb.v1.PrepareMergeCommand",
      target: regionToProto(command.target),
      minMatchedIndex: BigInt(minMatchedIndex),
    },
  };
  return owner.propose(body) ? { ok: true } : adminRefusal("Busy", "the leader takes no proposals now");
}

/** Whether the target is here as PD knows it, and could take the Region. */
function neighbourRefusal(
  owner: ProposeMergeOwner,
  asked: Region,
  target: LocalTarget | undefined,
): AdminRefusal | undefined {
  const source = owner.region();
  if (target === undefined || !target.isInitialised) {
    return adminRefusal(
      "Invalid",
      `the Store that leads Region ${source.id} has no peer of Region ${asked.id}`,
    );
  }
  if (!epochsEqual(target.region.epoch, asked.epoch)) {
    const [own, meant] = [target.region.epoch, asked.epoch].map(
      (epoch) => `${epoch.confVer}.${epoch.version}`,
    );
    return adminRefusal("EpochNotMatch", `Region ${asked.id} is at epoch ${own} here, not ${meant}`);
  }
  const problem = mergeProblem(source, target.region);
  if (problem !== undefined) {
    return adminRefusal("Invalid", problem);
  }
  if (target.isMerging) {
    return adminRefusal("Busy", `Region ${asked.id} waits to be taken itself`);
  }
  const bytes = owner.sessionBytes() + target.sessionBytes;
  return bytes > SESSIONS_MAX_BYTES
    ? adminRefusal("Busy", `${bytes} bytes of clients' last writes are above ${SESSIONS_MAX_BYTES}`)
    : undefined;
}

function peersRefusal(owner: ProposeMergeOwner): AdminRefusal | undefined {
  const unfit = owner.others().find((peer) => {
    const progress = owner.node.progressOf(peer.id);
    const hasLog = (progress?.match ?? 0) >= owner.log.firstIndex() - 1;
    return !owner.isAlive(peer) || progress?.state !== "StateReplicate" || !hasLog;
  });
  return unfit === undefined
    ? undefined
    : adminRefusal("PeerBehind", `peer ${unfit.id} on Store ${unfit.storeId} is down or behind`);
}

/** Every peer has the log up to here, durably, the leader too. */
function leastMatched(owner: ProposeMergeOwner): Index {
  const matches = owner.region().peers.map((peer) => owner.node.progressOf(peer.id)?.match ?? 0);
  return index(Math.min(...matches));
}

/** Whether the entry can be applied from CommitMerge: it changes nothing but rows, and cuts no log that is needed. */
function mayTravel(
  entry: { readonly type: string; readonly data: Uint8Array },
  minMatchedIndex: Index,
): boolean {
  if (entry.type !== "Normal") {
    return false;
  }
  if (entry.data.length === 0) {
    return true;
  }
  const { command } = decodeLogCommand(entry.data);
  return (
    command.case === "writes" ||
    command.case === "deleteRange" ||
    (command.case === "compactLog" && command.value.index <= BigInt(minMatchedIndex))
  );
}
