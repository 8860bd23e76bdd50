import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useAllRegions } from "../api/all-regions.ts";
import { useStores } from "../api/cluster.ts";
import type { Region } from "../api/gen/types.ts";
import { Badge, PageHead, Panel, Problem, Switch } from "../parts/frame.tsx";
import { KeyRangeText } from "../parts/key-range.tsx";
import { Table } from "../parts/table.tsx";
import { type Address, formatAddress } from "../pure/address.ts";
import { counted, formatBytes, formatCount, formatRate } from "../pure/format.ts";
import { type RegionOrder, orderedRegions, regionOrders, regionTrouble } from "../pure/region-order.ts";
import { goTo } from "../use-address.ts";

const states = [
  { value: "", text: "Any state" },
  { value: "leaderless", text: "No leader" },
  { value: "down-peers", text: "Peers down" },
  { value: "pending-peers", text: "Peers lag" },
  { value: "damaged-peers", text: "Damaged peers" },
];

/** All Regions, or those of a Store or in a state. */
export function RegionsPage({ query }: Address): JSX.Element {
  const [order, setOrder] = useState<RegionOrder>("key");
  const { data: list } = useStores();
  const { storeId = "", state = "" } = query;
  const { regions, isWhole, error } = useAllRegions({ storeId, state });
  const filter = (change: Readonly<Record<string, string>>): void =>
    goTo(formatAddress(["regions"], { storeId, state, ...change }));
  const stores = (list?.stores ?? []).filter((store) => store.state !== "tombstone");
  return (
    <>
      <PageHead
        title="Regions"
        about="A Region is a range of keys, copied to several Stores by a Raft group of its own."
      >
        <select
          class="field"
          aria-label="Store"
          value={storeId}
          onChange={({ currentTarget }) => filter({ storeId: currentTarget.value })}
        >
          <option value="">Any Store</option>
          {stores.map(({ id }) => (
            <option key={id} value={String(id)}>
              Store {id}
            </option>
          ))}
        </select>
        <select
          class="field"
          aria-label="State"
          value={state}
          onChange={({ currentTarget }) => filter({ state: currentTarget.value })}
        >
          {states.map(({ value, text }) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
        <Switch name="order" label="Order" value={order} options={regionOrders} onChange={setOrder} />
      </PageHead>
      {error === undefined ? null : <Problem message={error.message} />}
      <Panel title={`${counted(regions.length, "Region")}${isWhole ? "" : " so far"}`} id="list" isFlush>
        <RegionTable
          regions={orderedRegions(regions, order)}
          empty={isWhole ? "No Region is like that." : "Asking the placement driver…"}
        />
      </Panel>
    </>
  );
}

function RegionTable(props: { readonly regions: readonly Region[]; readonly empty: string }): JSX.Element {
  return (
    <Table
      label="Regions"
      rows={props.regions}
      keyOf={({ id }) => id}
      empty={props.empty}
      columns={[
        { name: "Region", cell: ({ id }) => <a href={formatAddress(["regions", id])}>{id}</a> },
        { name: "State", cell: (region) => <RegionState region={region} /> },
        { name: "Keys", cell: (region) => <KeyRangeText region={region} />, isKey: true },
        {
          name: "Leader",
          cell: ({ leader }) =>
            leader === null ? <span class="soft">none</span> : `Store ${leader.storeId}`,
        },
        { name: "Peers on Stores", cell: ({ peers }) => peers.map(({ storeId }) => storeId).join(", ") },
        {
          name: "Size",
          cell: ({ approximateSizeBytes }) => formatBytes(approximateSizeBytes),
          isNumber: true,
        },
        { name: "Rows", cell: ({ approximateKeyCount }) => formatCount(approximateKeyCount), isNumber: true },
        { name: "Writes", cell: ({ load }) => formatRate(load.writtenKeysPerSecond), isNumber: true },
        { name: "Reads", cell: ({ load }) => formatRate(load.readKeysPerSecond), isNumber: true },
      ]}
    />
  );
}

/** In one badge. */
function RegionState({ region }: { readonly region: Region }): JSX.Element {
  const trouble = regionTrouble(region);
  return trouble === undefined ? (
    <Badge tone="good">served</Badge>
  ) : (
    <Badge tone={region.leader === null ? "bad" : "warn"}>{trouble}</Badge>
  );
}
