import type { PeerProgress } from "@flaredb/rdb-proto";
import { PeerRole } from "@flaredb/rdb-proto";
import { roleName } from "../cluster-json.ts";
import { type Column, type Screen, renderTable } from "./table.ts";

const columns: readonly Column[] = [
  { title: "PEER", align: "right" },
  { title: "STORE", align: "right" },
  { title: "ROLE" },
  { title: "TERM", align: "right" },
  { title: "COMMIT", align: "right" },
  { title: "APPLIED", align: "right" },
  { title: "LAST", align: "right" },
  { title: "MATCH", align: "right" },
  { title: "LAG", align: "right" },
  {
    title: "STATE",
    shrinks: "end",
    style: (cell) =>
      /^(leader|replicate)/.test(cell) ? "good" : /^(probe|snapshot)/.test(cell) ? "warn" : "bad",
  },
];

const UNKNOWN = "–";

/** How far the peers of a Region are, as a table. */
export function renderPeers(peers: readonly PeerProgress[], screen: Screen): string {
  const rows = peers.map(({ peer, failure, asLeaderSees: seen, ...own }) => {
    const ownIndex = (index: bigint): string => (failure === "" ? String(index) : UNKNOWN);
    return [
      String(peer?.id ?? "?"),
      String(peer?.storeId ?? "?"),
      roleName(peer?.role ?? PeerRole.UNSPECIFIED),
      ownIndex(own.term),
      ownIndex(own.commitIndex),
      ownIndex(own.appliedIndex),
      ownIndex(own.lastIndex),
      seen === undefined ? UNKNOWN : String(seen.matchIndex),
      seen === undefined ? UNKNOWN : String(seen.lagCount),
      stateText({ failure, isLeader: own.isLeader, isAsleep: own.isAsleep, seen }),
    ];
  });
  return renderTable(columns, rows, screen);
}

function stateText(peer: {
  readonly failure: string;
  readonly isLeader: boolean;
  readonly isAsleep: boolean;
  readonly seen: PeerProgress["asLeaderSees"];
}): string {
  const { failure, isLeader, isAsleep, seen } = peer;
  const known = [
    ...(isLeader ? ["leader"] : []),
    ...(seen === undefined ? [] : [seen.state]),
    ...(isAsleep ? ["asleep"] : []),
    ...(seen?.isAlive === false ? ["its Store is not heard of"] : []),
    ...(failure === "" ? [] : [failure]),
  ];
  return known.length === 0 ? "no leader says" : known.join(", ");
}

/** As `GET /api/v1/regions/{regionId}/peers` has it. */
export function peerProgressDocument(progress: PeerProgress): Record<string, unknown> {
  const { peer, failure, isLeader, isAsleep, asLeaderSees } = progress;
  const { term, commitIndex, appliedIndex, firstIndex, lastIndex } = progress;
  return {
    id: peer?.id,
    storeId: peer?.storeId,
    role: roleName(peer?.role ?? PeerRole.UNSPECIFIED),
    ...{ failure, isLeader, isAsleep, term, commitIndex, appliedIndex, firstIndex, lastIndex },
    asLeaderSees:
      asLeaderSees === undefined
        ? null
        : {
            state: asLeaderSees.state,
            matchIndex: asLeaderSees.matchIndex,
            nextIndex: asLeaderSees.nextIndex,
            lagCount: asLeaderSees.lagCount,
            isAlive: asLeaderSees.isAlive,
          },
  };
}
