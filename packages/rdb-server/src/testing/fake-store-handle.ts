import {
  type PeerId,
  type Region,
  type RegionEpoch,
  type RegionId,
  type StoreId,
  keyInRange,
} from "@flaredb/rdb-base";
import type { KvRequest, KvResponse, RegionHeader } from "@flaredb/rdb-proto";
import type {
  AdminOutcome,
  AdminTarget,
  ChangePeers,
  MergeRegion,
  SplitRegion,
} from "../store/admin-command.ts";
import type { PeerMessage, Refusal } from "../store/peer-message.ts";
import type { ReceivedSnapshot, SnapshotStatus } from "../store/ports.ts";
import type { RecoverRegion, SurveyedPeer } from "../store/recover-region.ts";
import { ServedFlow } from "../store/served-flow.ts";
import type { RegionStatus, StoreHandle, StoreHealth } from "../store/store-handle.ts";
import { EventLog } from "./event-log.ts";

/** One call of the loop's handle. */
export type HandleEvent =
  | { readonly kind: "receive"; readonly messages: readonly PeerMessage[] }
  | {
      readonly kind: "handle";
      readonly header: RegionHeader | undefined;
      readonly requests: readonly KvRequest[];
      readonly respond: (response: KvResponse) => void;
    }
  | { readonly kind: "snapshotReceived"; readonly snapshot: ReceivedSnapshot }
  | { readonly kind: "snapshotStatus"; readonly status: SnapshotStatus }
  | { readonly kind: "unreachable"; readonly storeId: StoreId; readonly regionId: RegionId | undefined }
  | { readonly kind: "storeSilent"; readonly storeId: StoreId }
  | { readonly kind: "storeReturned"; readonly storeId: StoreId }
  | { readonly kind: "createPeer"; readonly region: Region }
  | {
      readonly kind: "transferLeader";
      readonly regionId: RegionId;
      readonly epoch: RegionEpoch;
      readonly toPeerId: PeerId;
    }
  | { readonly kind: "checkRegion"; readonly target: AdminTarget }
  | { readonly kind: "changePeers"; readonly command: ChangePeers }
  | { readonly kind: "splitRegion"; readonly command: SplitRegion }
  | { readonly kind: "mergeRegion"; readonly command: MergeRegion }
  | { readonly kind: "recoverRegion"; readonly order: RecoverRegion };

/** A loop that only notes what it is asked, and answers as it was told. For tests of the edges. */
export class FakeStoreHandle implements StoreHandle {
  readonly log = new EventLog<HandleEvent>();
  statuses: RegionStatus[] = [];
  surveyed: SurveyedPeer[] = [];
  /** Ranges that are kept for snapshots now. */
  reservedCount = 0;
  healthNow: StoreHealth = {
    isSlow: false,
    isFull: false,
    pendingRequestCount: 0,
    unwrittenBytes: 0,
    putCount: 0,
    getCount: 0,
    regionCount: 0,
    leaderCount: 0,
    asleepCount: 0,
  };
  onReceive: (messages: readonly PeerMessage[]) => readonly Refusal[] = () => [];
  onHandle: (
    header: RegionHeader | undefined,
    request: KvRequest,
    respond: (response: KvResponse) => void,
  ) => void = () => {};
  onAcceptsSnapshot: (message: PeerMessage, region: Region) => true | string = () => true;
  onTransferLeader: () => AdminOutcome = () => ({ ok: true });
  onChangePeers: (command: ChangePeers) => AdminOutcome = () => ({ ok: true });
  onSplitRegion: (command: SplitRegion) => Promise<AdminOutcome> = () => Promise.resolve({ ok: true });
  onCreatePeer: (region: Region) => Promise<string> = () => Promise.resolve("created");

  /** The events of one kind, so far. */
  of<Kind extends HandleEvent["kind"]>(kind: Kind): Extract<HandleEvent, { kind: Kind }>[] {
    return this.log.events.filter(
      (event): event is Extract<HandleEvent, { kind: Kind }> => event.kind === kind,
    );
  }

  /** Resolves with the first `count` events of one kind, once there are that many. */
  async first<Kind extends HandleEvent["kind"]>(
    kind: Kind,
    count = 1,
  ): Promise<Extract<HandleEvent, { kind: Kind }>[]> {
    await this.log.until(() => this.of(kind).length >= count);
    return this.of(kind).slice(0, count);
  }

  receive(messages: readonly PeerMessage[], refuse: (refusals: readonly Refusal[]) => void): void {
    const refusals = this.onReceive(messages);
    if (refusals.length > 0) {
      refuse(refusals);
    }
    this.log.add({ kind: "receive", messages });
  }

  handle(
    header: RegionHeader | undefined,
    requests: readonly KvRequest[],
    respond: (response: KvResponse) => void,
  ): void {
    this.log.add({ kind: "handle", header, requests, respond });
    for (const request of requests) {
      this.onHandle(header, request, respond);
    }
  }

  acceptsSnapshot(message: PeerMessage, region: Region): true | string {
    return this.onAcceptsSnapshot(message, region);
  }

  reserveSnapshot(): () => void {
    this.reservedCount++;
    return () => this.reservedCount--;
  }

  snapshotReceived(snapshot: ReceivedSnapshot): void {
    this.log.add({ kind: "snapshotReceived", snapshot });
  }

  snapshotStatus(status: SnapshotStatus): void {
    this.log.add({ kind: "snapshotStatus", status });
  }

  unreachable(storeId: StoreId, regionId: RegionId | undefined): void {
    this.log.add({ kind: "unreachable", storeId, regionId });
  }

  storeSilent(storeId: StoreId): void {
    this.log.add({ kind: "storeSilent", storeId });
  }

  storeReturned(storeId: StoreId): void {
    this.log.add({ kind: "storeReturned", storeId });
  }

  createPeer(region: Region): Promise<string> {
    this.log.add({ kind: "createPeer", region });
    return this.onCreatePeer(region);
  }

  checkRegion(target: AdminTarget): Promise<AdminOutcome> {
    this.log.add({ kind: "checkRegion", target });
    return Promise.resolve({ ok: true });
  }

  transferLeader(regionId: RegionId, epoch: RegionEpoch, toPeerId: PeerId): AdminOutcome {
    this.log.add({ kind: "transferLeader", regionId, epoch, toPeerId });
    return this.onTransferLeader();
  }

  changePeers(command: ChangePeers): Promise<AdminOutcome> {
    this.log.add({ kind: "changePeers", command });
    return Promise.resolve(this.onChangePeers(command));
  }

  splitRegion(command: SplitRegion): Promise<AdminOutcome> {
    this.log.add({ kind: "splitRegion", command });
    return this.onSplitRegion(command);
  }

  mergeRegion(command: MergeRegion): Promise<AdminOutcome> {
    this.log.add({ kind: "mergeRegion", command });
    return Promise.resolve({ ok: true });
  }

  surveyPeers(): SurveyedPeer[] {
    return this.surveyed;
  }

  recoverRegion(order: RecoverRegion): Promise<AdminOutcome> {
    this.log.add({ kind: "recoverRegion", order });
    return Promise.resolve({ ok: true });
  }

  regionStatuses(): RegionStatus[] {
    return this.statuses;
  }

  regionStatus(regionId: RegionId): RegionStatus | undefined {
    return this.statuses.find((status) => status.region.id === regionId);
  }

  regionOfKey(key: Uint8Array): Region | undefined {
    return this.statuses.find((status) => keyInRange(key, status.region))?.region;
  }

  flow(): ReturnType<StoreHandle["flow"]> {
    return new ServedFlow(() => 0).flow(this.statuses);
  }

  health(): StoreHealth {
    return this.healthNow;
  }
}
