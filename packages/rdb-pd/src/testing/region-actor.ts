import { create } from "@bufbuild/protobuf";
import { assert } from "@flaredb/rdb-base";
import {
  type ChangePeers,
  type Peer,
  PeerChangeKind,
  PeerRole,
  PeerSchema,
  type Region,
  type RegionHeartbeatResponse,
} from "@flaredb/rdb-proto";
import type { FakeStore } from "./fake-store.ts";

/** A Region that does what PD's operators want, without a Store behind it: its leader's Store reports what it became. */
export class RegionActor {
  readonly #stores: readonly FakeStore[];
  region: Region;
  leader: FakeStore;
  term = 6n;
  /** Reported along. */
  pendingPeerIds: bigint[] = [];
  damagedPeerIds: bigint[] = [];

  constructor(stores: readonly FakeStore[], region: Region, leader: FakeStore) {
    this.#stores = stores;
    this.region = region;
    this.leader = leader;
  }

  report(): void {
    const report = this.leader.leaderReport(this.region, this.term);
    report.pendingPeerIds = this.pendingPeerIds;
    report.damagedPeerIds = this.damagedPeerIds;
    this.leader.keepalive([report]);
  }

  /** Takes the leader's next command, carries it out and reports. One that was said again meanwhile is left out. */
  async act(): Promise<RegionHeartbeatResponse> {
    for (;;) {
      const order = await this.leader.nextOrder();
      if (epochOf(order) === this.region.epoch?.confVer) {
        this.carryOut(order);
        return order;
      }
    }
  }

  carryOut({ command }: RegionHeartbeatResponse): void {
    if (command.case === "changePeers") {
      this.#changePeers(command.value);
    } else if (command.case === "transferLeader") {
      this.#lead(command.value.toPeerId);
    } else {
      throw new Error(`the actor does not know ${command.case}`);
    }
    this.report();
  }

  #lead(peerId: bigint): void {
    const to = this.region.peers.find(({ id }) => id === peerId);
    const store = this.#stores.find(({ storeId }) => storeId === to?.storeId);
    assert(store !== undefined, "the new leader's Store is there");
    this.leader.keepalive([this.leader.followerReport(this.region)]);
    this.leader = store;
    this.term += 1n;
  }

  #changePeers({ epoch, changes }: ChangePeers): void {
    assert(epoch?.confVer === this.region.epoch?.confVer, "the command is for the Region as it is");
    const isJoint = changes.length > 1;
    const isLeaving = changes.length === 0;
    let peers = [...this.region.peers];
    if (isLeaving) {
      peers = peers.map(left);
    }
    for (const { kind, peer } of changes) {
      assert(peer !== undefined, "a change names its peer");
      const others = peers.filter(({ id }) => id !== peer.id);
      const isKnown = others.length < peers.length;
      if (kind === PeerChangeKind.REMOVE) {
        peers = others;
      } else if (kind === PeerChangeKind.PROMOTE) {
        peers = [...others, withRole(peer, isJoint ? PeerRole.INCOMING_VOTER : PeerRole.VOTER)];
      } else {
        peers = [...others, withRole(peer, isKnown ? PeerRole.DEMOTING_VOTER : PeerRole.LEARNER)];
      }
    }
    const { confVer = 0n, version = 0n } = this.region.epoch ?? {};
    const next = { $typeName: "rdb.v1.RegionEpoch", confVer: confVer + 1n, version } as const;
    this.region = { ...this.region, peers, epoch: next };
  }
}

/** Lets the Regions do whatever PD wants of them, from now on. */
export function obey(stores: readonly FakeStore[], actors: readonly RegionActor[]): void {
  for (const store of stores) {
    void (async () => {
      for (;;) {
        const order = await store.nextOrder();
        const { case: kind, value } = order.command;
        const regionId = kind === "changePeers" || kind === "transferLeader" ? value.regionId : 0n;
        const actor = actors.find(({ region }) => region.id === regionId);
        // A repeated command that was carried out already is for an epoch or a leader that is gone.
        if (actor !== undefined && actor.leader === store && epochOf(order) === actor.region.epoch?.confVer) {
          actor.carryOut(order);
        }
      }
    })();
  }
}

function epochOf({ command }: RegionHeartbeatResponse): bigint | undefined {
  return command.case === "changePeers" || command.case === "transferLeader"
    ? command.value.epoch?.confVer
    : undefined;
}

function withRole(peer: Peer, role: PeerRole): Peer {
  return create(PeerSchema, { id: peer.id, storeId: peer.storeId, role });
}

function left(peer: Peer): Peer {
  switch (peer.role) {
    case PeerRole.INCOMING_VOTER:
      return withRole(peer, PeerRole.VOTER);
    case PeerRole.DEMOTING_VOTER:
      return withRole(peer, PeerRole.LEARNER);
    default:
      return peer;
  }
}
