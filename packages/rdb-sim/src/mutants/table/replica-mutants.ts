import type { Mutant } from "../mutant.ts";

// Bugs in how peers of a Region come, change and go.

const CHANGE_PEERS = "packages/rdb-server/src/peer/admin/apply-change-peers.ts";
const REPLACEMENT = "packages/rdb-storage/src/region-replacement.ts";

export const replicaMutants: readonly Mutant[] = [
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
];
