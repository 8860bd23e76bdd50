import type { Mutant } from "../mutant.ts";

// Bugs in how peers of a Region come, change and go.

const APPLY_CHANGE_PEERS = "packages/rdb-server/src/peer/admin/apply-change-peers.ts";
const JUDGE_STEP = "packages/rdb-pd/src/operator/judge-step.ts";
const MESSAGE_ROUTER = "packages/rdb-server/src/store/message-router.ts";
const PEER_LIFECYCLE = "packages/rdb-server/src/store/peer-lifecycle.ts";
const PROPOSE_CHANGE_PEERS = "packages/rdb-server/src/peer/admin/propose-change-peers.ts";
const REGION_REPLACEMENT = "packages/rdb-storage/src/region-replacement.ts";
const SNAPSHOT_GATE = "packages/rdb-server/src/store/snapshot-gate.ts";
const STORE = "packages/rdb-server/src/store/store.ts";

export const replicaMutants: readonly Mutant[] = [
  {
    name: "removed-peer-keeps-its-rows",
    breaks: "A removed peer leaves its rows behind, for whoever comes to have these keys there.",
    edits: [
      {
        file: REGION_REPLACEMENT,
        find: '  rangesBeside(region, spared).forEach((range) => engine.deleteRange("data", range));\n',
        replace: "",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "conf-change-leaves-the-conf-ver",
    breaks: "A change of peers does not raise conf_ver: two configurations are taken for one.",
    edits: [
      {
        file: APPLY_CHANGE_PEERS,
        find: "epoch: { ...before.epoch, confVer: before.epoch.confVer + 1 },",
        replace: "epoch: before.epoch,",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "conf-change-is-not-kept",
    breaks:
      "A change of peers is not written to the log's state: after a start the peer counts with the old majority.",
    edits: [
      {
        file: APPLY_CHANGE_PEERS,
        find: "  owner.log.setConfState(part, owner.node.applyConfChange(confChange));",
        replace: "  owner.node.applyConfChange(confChange);",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "promoted-before-it-caught-up",
    breaks:
      "A learner votes before it has anything, so that a majority of voters need not have what is committed.",
    edits: [
      {
        file: PROPOSE_CHANGE_PEERS,
        find: ".find((peer) => !isClose(owner, peer));",
        replace: ".find(() => false);",
      },
      {
        file: PROPOSE_CHANGE_PEERS,
        find: "  if (!hasQuorum(peers, (peer) => isFit(owner, peer))) {",
        replace: "  if (!hasQuorum(peers, () => true)) {",
      },
      {
        file: JUDGE_STEP,
        find: "  return behind === undefined\n    ? undefined\n    : {",
        replace: "  return behind === undefined || info.region.peers.length > 0\n    ? undefined\n    : {",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "tombstone-ignored",
    breaks: "A message to a peer that was removed makes it again, without anything that it promised.",
    edits: [
      {
        file: MESSAGE_ROUTER,
        find: "if (!isGone || !isNewer || message.toPeer.id === lastPeerId) {",
        replace: "if (!isGone) {",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "tombstone-forgotten",
    breaks:
      "A removed peer leaves no trace: a late message makes it again, without anything that it promised.",
    edits: [
      {
        file: REGION_REPLACEMENT,
        find: '  putRegionLocalState(last, { state: "Tombstone", region });',
        replace: '  last.delete("region", stateKey(region.id, stateKinds.localState));',
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "peer-gives-way-to-an-older-one",
    breaks: "A message to a former peer of the Store ends the one that took its place.",
    edits: [
      {
        file: MESSAGE_ROUTER,
        find: "const isNewer = message.epoch.confVer > peer.region.epoch.confVer;",
        replace: "const isNewer = message.epoch.confVer <= peer.region.epoch.confVer;",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "removed-peer-stays",
    breaks: "A peer that hears from the others and from PD that it was removed stays where it is.",
    edits: [
      {
        file: MESSAGE_ROUTER,
        find: "      if (payload.epoch.confVer > peer.region.epoch.confVer) {",
        replace: "      if (payload.epoch.confVer < 0) {",
      },
      {
        file: PEER_LIFECYCLE,
        find: "      known.epoch.confVer > peer.region.epoch.confVer &&\n",
        replace: "      known.epoch.confVer < 0 &&\n",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "snapshot-over-a-neighbour",
    breaks:
      "A snapshot of a Region's older, wider range is installed over a Region that was split off it meanwhile.",
    edits: [
      {
        file: SNAPSHOT_GATE,
        find: "    return peers.overlapping(region, region.id, ...merger.endedBy(message));",
        replace:
          "    merger.endedBy(message);\n    return peers.overlapping(region, ...[...peers.values()].map((peer) => peer.regionId));",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "unknown-to-pd-is-removed",
    breaks: "A peer destroys itself because PD does not know its Region.",
    edits: [
      {
        file: STORE,
        find: "        if (region !== undefined && !this.#stopped) {\n          this.#lifecycle.learn(region);\n        }",
        replace:
          '        const peer = this.#peers.holder(regionId);\n        if (region !== undefined && !this.#stopped) {\n          this.#lifecycle.learn(region);\n        } else if (peer !== undefined && !this.#stopped) {\n          this.#lifecycle.destroy(peer, "PD does not know its Region");\n        }',
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "stale-answer-of-pd-counts",
    breaks: "A peer destroys itself because PD knows an older configuration of its Region, without it.",
    edits: [
      {
        file: PEER_LIFECYCLE,
        find: "      known.epoch.confVer > peer.region.epoch.confVer &&\n",
        replace: "",
      },
    ],
    seenBy: ["simulator"],
  },
];
