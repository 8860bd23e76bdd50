import type { Mutant } from "../mutant.ts";

// Bugs in how peers of a Region come, change and go.

const CHANGE_PEERS = "packages/rdb-server/src/peer/admin/apply-change-peers.ts";
const LIFECYCLE = "packages/rdb-server/src/store/peer-lifecycle.ts";
const PROPOSE_CHANGE = "packages/rdb-server/src/peer/admin/propose-change-peers.ts";
const REPLACEMENT = "packages/rdb-storage/src/region-replacement.ts";
const ROUTER = "packages/rdb-server/src/store/message-router.ts";
const SNAPSHOT_GATE = "packages/rdb-server/src/store/snapshot-gate.ts";

export const replicaMutants: readonly Mutant[] = [
  {
    name: "snapshot-over-a-neighbour",
    breaks: "A snapshot of a Region's older, wider range is taken over a Region that was split off it.",
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
    name: "tombstone-ignored",
    breaks: "A message to a peer that was removed makes it again, without anything that it promised.",
    edits: [
      {
        file: ROUTER,
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
        file: REPLACEMENT,
        find: '  putRegionLocalState(last, { state: "Tombstone", region });',
        replace: '  last.delete("region", stateKey(region.id, stateKinds.localState));',
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "removed-peer-keeps-its-rows",
    breaks: "A removed peer leaves its rows behind, for whoever comes to have these keys there.",
    edits: [
      {
        file: REPLACEMENT,
        find: '  rangesBeside(region, spared).forEach((range) => engine.deleteRange("data", range));\n',
        replace: "",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "stale-answer-of-pd-counts",
    breaks: "A peer destroys itself because PD knows an older configuration of its Region, without it.",
    edits: [
      { file: LIFECYCLE, find: "      known.epoch.confVer > peer.region.epoch.confVer &&\n", replace: "" },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "peer-gives-way-to-an-older-one",
    breaks: "A message to a former peer of the Store ends the one that took its place.",
    edits: [
      {
        file: ROUTER,
        find: "const isNewer = message.epoch.confVer > peer.region.epoch.confVer;",
        replace: "const isNewer = message.epoch.confVer <= peer.region.epoch.confVer;",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "conf-change-leaves-the-conf-ver",
    breaks: "A change of peers does not raise conf_ver: two configurations are taken for one.",
    edits: [
      {
        file: CHANGE_PEERS,
        find: "epoch: { ...before.epoch, confVer: before.epoch.confVer + 1 },",
        replace: "epoch: before.epoch,",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "older-conf-change-applied",
    breaks: "A change of peers that was planned for another configuration is applied.",
    edits: [
      {
        file: CHANGE_PEERS,
        find: "if (Number(command.epochConfVer) !== before.epoch.confVer) {",
        replace: "if (Number(command.epochConfVer) > before.epoch.confVer) {",
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
        file: PROPOSE_CHANGE,
        find: ".find((peer) => !isClose(owner, peer));",
        replace: ".find(() => false);",
      },
      {
        file: PROPOSE_CHANGE,
        find: "  if (!hasQuorum(peers, (peer) => isFit(owner, peer))) {",
        replace: "  if (!hasQuorum(peers, () => true)) {",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "change-costs-the-quorum",
    breaks: "A voter is removed although the others that are left are down.",
    edits: [
      {
        file: PROPOSE_CHANGE,
        find: "  if (!hasQuorum(peers, (peer) => isFit(owner, peer))) {",
        replace: "  if (!hasQuorum(peers, () => true)) {",
      },
    ],
    seenBy: ["simulator"],
  },
];
