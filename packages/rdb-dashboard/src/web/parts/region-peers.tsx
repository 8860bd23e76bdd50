import type { ComponentChildren, JSX } from "preact";
import type { PeerProgress, Region, RegionPeers } from "../api/gen/types.ts";
import { useApi } from "../api/use-api.ts";
import { formatAddress } from "../pure/address.ts";
import { formatAgo, formatCount } from "../pure/format.ts";
import { regionTrouble } from "../pure/region-order.ts";
import { Badge, Panel } from "./frame.tsx";
import { Table } from "./table.tsx";

const EVERY_MS = 2_000;

type Peer = Region["peers"][number];

/** A Region's peers, and how far each is: their Stores are asked as long as one looks. */
export function RegionPeersPanel({ region }: { readonly region: Region }): JSX.Element {
  const { id: regionId, peers, leader, reportedMs } = region;
  const asked = useApi<RegionPeers>(`/regions/${regionId}/peers`, EVERY_MS);
  const progressOf = ({ id }: Peer): PeerProgress | undefined =>
    asked.data?.peers.find((progress) => progress.id === id);
  const trouble = regionTrouble(region);
  const index = (name: string, of: (progress: PeerProgress) => number | undefined) => ({
    name,
    isNumber: true,
    cell: (peer: Peer): ComponentChildren => {
      const progress = progressOf(peer);
      const value = progress === undefined ? undefined : of(progress);
      return value === undefined ? <span class="soft">–</span> : formatCount(value);
    },
  });
  const own = (of: (progress: PeerProgress) => number) => (progress: PeerProgress) =>
    progress.failure === "" ? of(progress) : undefined;
  return (
    <Panel
      title="Peers"
      id="peers"
      isFlush
      tools={
        <>
          {trouble === undefined ? null : <Badge tone="warn">{trouble}</Badge>}
          <span class="soft">reported {formatAgo(reportedMs, Date.now())}</span>
        </>
      }
    >
      <Table
        label="Peers"
        rows={peers}
        keyOf={({ id }) => id}
        empty="None is known."
        columns={[
          { name: "Peer", cell: ({ id }) => id },
          {
            name: "Store",
            cell: ({ storeId }) => <a href={formatAddress(["stores"], { id: storeId })}>Store {storeId}</a>,
          },
          { name: "Role", cell: ({ id, role }) => (leader?.id === id ? `leader, ${role}` : role) },
          {
            name: "State",
            cell: (peer) => <PeerState peer={peer} region={region} progress={progressOf(peer)} />,
          },
          index(
            "Term",
            own(({ term }) => term),
          ),
          index(
            "Committed",
            own(({ commitIndex }) => commitIndex),
          ),
          index(
            "Applied",
            own(({ appliedIndex }) => appliedIndex),
          ),
          index(
            "Last entry",
            own(({ lastIndex }) => lastIndex),
          ),
          index("Known to have", ({ asLeaderSees }) => asLeaderSees?.matchIndex),
          index("Lacks", ({ asLeaderSees }) => asLeaderSees?.lagCount),
        ]}
      />
    </Panel>
  );
}

const flows: Readonly<Record<string, string>> = {
  probe: "is looked for where its log ends",
  replicate: "is sent entries",
  snapshot: "is sent a snapshot",
};

function PeerState(props: {
  readonly peer: Peer;
  readonly region: Region;
  readonly progress: PeerProgress | undefined;
}): JSX.Element {
  const { peer, region, progress } = props;
  const { downPeerIds, pendingPeerIds, damagedPeerIds } = region;
  const { asLeaderSees = null, isAsleep = false, failure = "" } = progress ?? {};
  const words = [
    asLeaderSees === null ? "" : (flows[asLeaderSees.state] ?? asLeaderSees.state),
    isAsleep ? "asleep" : "",
    failure,
  ].filter(Boolean);
  return (
    <span class="marks">
      {damagedPeerIds.includes(peer.id) ? (
        <Badge tone="bad">damaged</Badge>
      ) : downPeerIds.includes(peer.id) ? (
        <Badge tone="bad">down</Badge>
      ) : pendingPeerIds.includes(peer.id) ? (
        <Badge tone="warn">lags</Badge>
      ) : (
        <Badge tone="good">keeps up</Badge>
      )}
      <span class="soft">{words.join("; ")}</span>
    </span>
  );
}
