import type { JSX } from "preact";
import { useStores } from "../api/cluster.ts";
import type { Region, Store } from "../api/gen/types.ts";
import { useApi } from "../api/use-api.ts";
import { Awaited, Badge, Figure, Figures, Meter, PageHead, Panel, type Tone } from "../parts/frame.tsx";
import { StoreLimitsForm } from "../parts/store-limits.tsx";
import { Table } from "../parts/table.tsx";
import { type Address, formatAddress } from "../pure/address.ts";
import { formatAgo, formatBytes, formatCount, formatShare, formatSpan } from "../pure/format.ts";

const LAG_EVERY_MS = 5_000;

const tones: Readonly<Record<Store["state"], Tone>> = {
  up: "good",
  disconnected: "bad",
  down: "bad",
  draining: "accent",
  tombstone: "plain",
  unknown: "plain",
};

/** The Stores: how they do, what they hold and lead, and which of their peers lag. */
export function StoresPage({ query }: Address): JSX.Element {
  const asked = useStores();
  const { data: lagging } = useApi<{ readonly regions: readonly Region[] }>(
    "/regions?state=pending-peers",
    LAG_EVERY_MS,
  );
  const lag = lagCounts(lagging?.regions ?? []);
  return (
    <>
      <PageHead
        title="Stores"
        about="Each Store is one process with a disk. Leaders serve reads and writes; the other peers follow and take over."
      />
      <Awaited asked={asked}>
        {({ stores }) => {
          const wanted = stores.find(({ id }) => String(id) === query["id"]);
          return (
            <>
              {wanted === undefined ? null : (
                <StoreCard store={wanted} lag={lag.get(wanted.id) ?? 0} onChange={asked.refresh} />
              )}
              <Panel
                title={`${stores.filter(({ state }) => state === "up").length} of ${stores.length} up`}
                id="list"
                isFlush
              >
                <StoreTable stores={stores} lag={lag} />
              </Panel>
            </>
          );
        }}
      </Awaited>
    </>
  );
}

function StoreTable(props: {
  readonly stores: readonly Store[];
  readonly lag: ReadonlyMap<number, number>;
}): JSX.Element {
  const { stores, lag } = props;
  const leaderMaximum = Math.max(1, ...stores.map(({ leaderCount }) => leaderCount));
  const regionMaximum = Math.max(1, ...stores.map(({ regionCount }) => regionCount));
  return (
    <Table
      label="Stores"
      rows={stores}
      keyOf={({ id }) => id}
      empty="No Store has registered yet."
      columns={[
        {
          name: "Store",
          cell: ({ id }) => <a href={formatAddress(["stores"], { id })}>Store {id}</a>,
        },
        { name: "State", cell: (store) => <StoreState store={store} /> },
        { name: "Address", cell: ({ address }) => <span class="mono">{address}</span> },
        {
          name: "Disk",
          cell: (store) => <Disk store={store} />,
        },
        {
          name: "Leaders",
          cell: ({ leaderCount }) => <Bar value={leaderCount} maximum={leaderMaximum} />,
        },
        {
          name: "Regions",
          cell: ({ regionCount }) => <Bar value={regionCount} maximum={regionMaximum} />,
        },
        { name: "Data", cell: ({ regionSizeBytes }) => formatBytes(regionSizeBytes), isNumber: true },
        {
          name: "Lagging peers",
          cell: ({ id }) => {
            const count = lag.get(id) ?? 0;
            return <span class={count > 0 ? "tone-warn" : "soft"}>{formatCount(count)}</span>;
          },
          isNumber: true,
        },
        {
          name: "Memory",
          cell: ({ residentMemoryBytes }) =>
            residentMemoryBytes === undefined ? "–" : formatBytes(residentMemoryBytes),
          isNumber: true,
        },
        {
          name: "Heard",
          cell: ({ lastHeartbeatMs }) => formatAgo(lastHeartbeatMs, Date.now()),
          isNumber: true,
        },
      ]}
    />
  );
}

function StoreState({ store }: { readonly store: Store }): JSX.Element {
  const marks = [
    store.isFull ? "full" : "",
    store.isSlow ? "slow" : "",
    store.evictsLeaders ? "leads nothing" : "",
  ];
  return (
    <span class="marks">
      <Badge tone={tones[store.state]}>{store.state}</Badge>
      {marks.filter(Boolean).map((mark) => (
        <Badge key={mark} tone="warn">
          {mark}
        </Badge>
      ))}
    </span>
  );
}

function Disk({ store }: { readonly store: Store }): JSX.Element {
  const { capacityBytes, availableBytes } = store;
  if (capacityBytes === undefined || availableBytes === undefined || capacityBytes === 0) {
    return <span class="soft">not told yet</span>;
  }
  const share = 1 - availableBytes / capacityBytes;
  return (
    <span class="bar">
      <Meter share={share} {...(share > 0.9 ? { tone: "bad" as const } : {})} />
      <span>{formatBytes(availableBytes)} free</span>
    </span>
  );
}

function Bar({ value, maximum }: { readonly value: number; readonly maximum: number }): JSX.Element {
  return (
    <span class="bar">
      <Meter share={value / maximum} />
      <span>{formatCount(value)}</span>
    </span>
  );
}

function StoreCard(props: {
  readonly store: Store;
  readonly lag: number;
  readonly onChange: () => void;
}): JSX.Element {
  const { store, lag, onChange } = props;
  const nowMs = Date.now();
  const { id, capacityBytes = 0, availableBytes = 0, usedBytes = 0 } = store;
  const labels = Object.entries(store.labels).map(([name, value]) => `${name}=${value}`);
  return (
    <Panel
      title={`Store ${id}`}
      id="store"
      tools={
        <>
          <StoreState store={store} />
          <a href={formatAddress(["regions"], { storeId: id })}>Its Regions</a>
          <a href={formatAddress(["stores"])}>Close</a>
        </>
      }
    >
      <div class="stack">
        <Figures>
          <Figure name="Leaders" more={`of ${formatCount(store.regionCount)} Regions`}>
            {formatCount(store.leaderCount)}
          </Figure>
          <Figure name="Lagging peers" more="behind, or being sent a snapshot">
            {formatCount(lag)}
          </Figure>
          <Figure
            name="Disk used"
            more={`${formatShare(capacityBytes - availableBytes, capacityBytes)} of ${formatBytes(capacityBytes)} taken`}
          >
            {formatBytes(usedBytes)}
          </Figure>
          <Figure name="Memory" more="resident">
            {formatBytes(store.residentMemoryBytes ?? 0)}
          </Figure>
          <Figure name="Up for" more={`version ${store.programVersion}`}>
            {store.startedMs === 0 ? "–" : formatSpan(nowMs - store.startedMs)}
          </Figure>
        </Figures>
        <dl class="pairs">
          <dt>Address</dt>
          <dd class="mono">{store.address}</dd>
          <dt>HTTP</dt>
          <dd class="mono">{store.httpAddress}</dd>
          <dt>Labels</dt>
          <dd>{labels.length === 0 ? "none" : labels.join(", ")}</dd>
        </dl>
        {store.state === "tombstone" ? null : <StoreLimitsForm store={store} onChange={onChange} />}
      </div>
    </Panel>
  );
}

/** How many peers on each Store lag. */
function lagCounts(regions: readonly Region[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { peers, pendingPeerIds } of regions) {
    for (const { id, storeId } of peers) {
      if (pendingPeerIds.includes(id)) {
        counts.set(storeId, (counts.get(storeId) ?? 0) + 1);
      }
    }
  }
  return counts;
}
