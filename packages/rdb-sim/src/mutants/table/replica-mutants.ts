import type { Mutant } from "../mutant.ts";

// Bugs in how peers of a Region come, change and go.

const APPLY_CHANGE_PEERS = "packages/rdb-server/src/peer/admin/apply-change-peers.ts";
const REGION_REPLACEMENT = "packages/rdb-storage/src/region-replacement.ts";

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
];
