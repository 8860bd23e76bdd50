import { create } from "@bufbuild/protobuf";
import {
  type Clock,
  type Logger,
  RdbError,
  type RegionId,
  assertNever,
  peerId,
  regionId,
} from "@flaredb/rdb-base";
import {
  type ChangePeers,
  type CommandRefusal,
  CommandRefusalReason,
  CommandRefusalSchema,
  type CreatePeer,
  type MergeRegion,
  PeerChangeKind,
  type PeerSurvey,
  type RecoverRegion,
  type RecoveryResult,
  type RegionHeartbeatResponse,
  type SplitRegion,
  type TransferLeader,
  epochFromProto,
  peerFromProto,
  regionFromProto,
} from "@flaredb/rdb-proto";
import type { StoreIdent } from "@flaredb/rdb-storage";
import type { AdminOutcome, AdminRefusalReason, PeerChange } from "../store/admin-command.ts";
import type { StoreHandle } from "../store/store-handle.ts";
import { OnceLog } from "../transport/once-log.ts";
import { orderFromProto, resultToProto, surveyPages } from "./recovery-codec.ts";

/** What PD may ask of the loop. */
export type PdCommandsHandle = Pick<
  StoreHandle,
  | "createPeer"
  | "transferLeader"
  | "changePeers"
  | "splitRegion"
  | "mergeRegion"
  | "checkRegion"
  | "surveyPeers"
  | "recoverRegion"
>;

export interface PdCommandsOptions {
  readonly ident: StoreIdent;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly handle: PdCommandsHandle;
  /** PD wants everything reported. */
  reportAll(): void;
  /** PD says where the Stores are. */
  storesChanged(
    stores: Extract<RegionHeartbeatResponse["command"], { case: "storeList" }>["value"]["stores"],
    clusterVersion: number,
  ): void;
  /** Answers a survey. */
  surveyed(pages: PeerSurvey[]): void;
  /** Says how orders to recover Regions ended, either way. */
  recovered(results: readonly RecoveryResult[]): void;
  /** Tells PD that its command is not carried out. */
  refuse(refusal: CommandRefusal): void;
}

/** A command that concerns one Region, as it will be carried out or refused. */
interface Attempt {
  readonly regionId: bigint;
  readonly outcome: AdminOutcome | Promise<AdminOutcome>;
}

const reasons: Readonly<Record<AdminRefusalReason, CommandRefusalReason>> = {
  NotLeader: CommandRefusalReason.NOT_LEADER,
  EpochNotMatch: CommandRefusalReason.EPOCH_NOT_MATCH,
  Busy: CommandRefusalReason.BUSY,
  QuorumAtRisk: CommandRefusalReason.QUORUM_AT_RISK,
  IsLeader: CommandRefusalReason.IS_LEADER,
  PeerBehind: CommandRefusalReason.PEER_BEHIND,
  Invalid: CommandRefusalReason.INVALID,
  ClusterVersion: CommandRefusalReason.CLUSTER_VERSION,
};

/** Carries out what PD commands, and says what is not carried out and why. What is, shows in the reports. */
export class PdCommands {
  readonly #options: PdCommandsOptions;
  readonly #refusalsLogged = new OnceLog();

  constructor(options: PdCommandsOptions) {
    this.#options = options;
  }

  /** Never throws for what PD says. */
  obey({ commandId, command }: RegionHeartbeatResponse): void {
    try {
      const attempt = this.#carryOut(command);
      if (attempt !== undefined) {
        void this.#settle(commandId, command.case ?? "unknown", attempt);
      }
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof RdbError)) {
        // No number or role that cannot be read, but a fault of ours: it ends the process, not the stream.
        this.#options.clock.setImmediate(() => {
          throw error;
        });
        return;
      }
      this.#refused({ commandId, regionId: 0n }, `malformed ${command.case}`, "Invalid", error.message);
    }
  }

  /** @returns what there is to wait for */
  #carryOut(command: RegionHeartbeatResponse["command"]): Attempt | undefined {
    const { handle } = this.#options;
    switch (command.case) {
      case "createPeer":
        return this.#createPeer(command.value);
      case "transferLeader":
        return { regionId: command.value.regionId, outcome: this.#transferLeader(command.value) };
      case "changePeers":
        return { regionId: command.value.regionId, outcome: handle.changePeers(changePeers(command.value)) };
      case "splitRegion":
        return { regionId: command.value.regionId, outcome: handle.splitRegion(splitRegion(command.value)) };
      case "mergeRegion":
        return { regionId: command.value.regionId, outcome: handle.mergeRegion(mergeRegion(command.value)) };
      case "checkRegion":
        return { regionId: command.value.regionId, outcome: handle.checkRegion(target(command.value)) };
      case "surveyPeers":
        this.#options.surveyed(surveyPages(command.value.surveyId, handle.surveyPeers()));
        return undefined;
      case "recoverRegions":
        void this.#recoverAll(command.value.regions);
        return undefined;
      case "reportAll":
        this.#options.reportAll();
        return undefined;
      case "storeList":
        this.#options.storesChanged(command.value.stores, command.value.clusterVersion);
        return undefined;
      case undefined:
        // A newer PD's command.
        return { regionId: 0n, outcome: notKnown("this command") };
    }
    return assertNever(command, "command of PD");
  }

  async #settle(commandId: bigint, what: string, { regionId: region, outcome }: Attempt): Promise<void> {
    try {
      const settled = await outcome;
      if (!settled.ok) {
        const { reason, message } = settled;
        this.#refused({ commandId, regionId: region }, `${what} ${region} ${reason}`, reason, message);
      }
    } catch (error) {
      const { message } = RdbError.from(error);
      this.#refused({ commandId, regionId: region }, `${what} ${region} failed`, "Invalid", message);
    }
  }

  /** Never rejects. */
  async #recoverAll(orders: readonly RecoverRegion[]): Promise<void> {
    // Told together: PD writes down what it hears.
    this.#options.recovered(await Promise.all(orders.map((order) => this.#recover(order))));
  }

  async #recover(order: RecoverRegion): Promise<RecoveryResult> {
    try {
      return resultToProto(order, await this.#options.handle.recoverRegion(orderFromProto(order)));
    } catch (error) {
      const { message } = RdbError.from(error);
      return resultToProto(order, { ok: false, reason: "Invalid", message });
    }
  }

  #createPeer(command: CreatePeer): Attempt {
    const { ident, handle } = this.#options;
    if (
      command.clusterId !== BigInt(ident.clusterId) ||
      command.storeId !== BigInt(ident.storeId) ||
      command.region === undefined
    ) {
      const meant = `Store ${command.storeId} of cluster ${command.clusterId}`;
      const message = `the peer to create is for ${meant}, or without a Region`;
      return { regionId: command.region?.id ?? 0n, outcome: { ok: false, reason: "Invalid", message } };
    }
    const region = regionFromProto(command.region);
    return { regionId: command.region.id, outcome: this.#created(region.id, handle.createPeer(region)) };
  }

  async #created(id: RegionId, creating: ReturnType<StoreHandle["createPeer"]>): Promise<AdminOutcome> {
    const outcome = await creating;
    if (outcome === "created") {
      this.#options.logger.info({ region: id }, "peer created as PD asked");
    }
    return outcome === "created" || outcome === "exists"
      ? { ok: true }
      : { ok: false, reason: "Invalid", message: outcome };
  }

  #transferLeader(command: TransferLeader): AdminOutcome {
    return this.#options.handle.transferLeader(
      regionId(command.regionId),
      epochFromProto(command.epoch),
      peerId(command.toPeerId),
    );
  }

  /** PD repeats its commands, so a refusal is logged once; PD hears of each that has an id. */
  #refused(
    command: { readonly commandId: bigint; readonly regionId: bigint },
    event: string,
    reason: AdminRefusalReason,
    message: string,
  ): void {
    if (this.#refusalsLogged.isNew(event)) {
      const fields = { region: command.regionId, reason, message };
      this.#options.logger.warn(fields, "PD's command was not carried out");
    }
    if (command.commandId !== 0n) {
      this.#options.refuse(create(CommandRefusalSchema, { ...command, reason: reasons[reason], message }));
    }
  }
}

function changePeers(command: ChangePeers): Parameters<StoreHandle["changePeers"]>[0] {
  return { ...target(command), changes: command.changes.map(peerChange) };
}

function splitRegion(command: SplitRegion): Parameters<StoreHandle["splitRegion"]>[0] {
  return { ...target(command), keys: command.keys, partCount: command.partCount };
}

/** @throws RdbError RDB_INVALID_ARGUMENT */
function mergeRegion(command: MergeRegion): Parameters<StoreHandle["mergeRegion"]>[0] {
  if (command.target === undefined) {
    throw new RdbError("RDB_INVALID_ARGUMENT", "a merge names no target");
  }
  return { ...target(command), target: regionFromProto(command.target) };
}

function target({ regionId: id, epoch }: Pick<ChangePeers, "regionId" | "epoch">) {
  return { regionId: regionId(id), epoch: epochFromProto(epoch) };
}

/** @throws RdbError RDB_INVALID_ARGUMENT */
function peerChange({ kind, peer }: ChangePeers["changes"][number]): PeerChange {
  if (peer === undefined) {
    throw new RdbError("RDB_INVALID_ARGUMENT", "a change of peers names no peer");
  }
  return { kind: changeKind(kind), peer: peerFromProto(peer) };
}

function changeKind(kind: PeerChangeKind): PeerChange["kind"] {
  switch (kind) {
    case PeerChangeKind.ADD_LEARNER:
      return "AddLearner";
    case PeerChangeKind.PROMOTE:
      return "Promote";
    case PeerChangeKind.REMOVE:
      return "Remove";
    default:
      throw new RdbError("RDB_INVALID_ARGUMENT", `change ${kind} of a peer is not known to this program`);
  }
}

function notKnown(what: string): AdminOutcome {
  return { ok: false, reason: "Invalid", message: `${what} is not known to this program` };
}
