import type { RegionRoute } from "@flaredb/rdb-proto";
import { stateName } from "../cluster-json.ts";
import { formatRange } from "../output/regions.ts";
import { storeStateStyle } from "../output/stores.ts";
import { type Column, type Screen, renderTable } from "../output/table.ts";
import { formatBytes } from "../output/text.ts";
import { plain } from "../output/paint.ts";
import type { Rates, StoreRates, TopView } from "./top-view.ts";

const rateColumns: readonly Column[] = [
  { title: "WRITES/S", align: "right" },
  { title: "WRITTEN", align: "right" },
  { title: "READS/S", align: "right" },
  { title: "READ", align: "right" },
];

const storeColumns: readonly Column[] = [
  { title: "STORE", align: "right" },
  { title: "ADDRESS" },
  { title: "STATE", style: storeStateStyle },
  { title: "LEADERS", align: "right" },
  { title: "REGIONS", align: "right" },
  ...rateColumns,
  { title: "USED", align: "right" },
  { title: "MEMORY", align: "right" },
];

const regionColumns: readonly Column[] = [
  { title: "REGION", align: "right" },
  { title: "LEADER", style: (cell) => (cell === "none" ? "bad" : undefined) },
  ...rateColumns,
  { title: "SIZE", align: "right" },
  { title: "KEYS FROM, TO", shrinks: "middle" },
];

/** What `rdb top` shows, as text. */
export function renderTop(view: TopView, screen: Screen): string {
  const { paint = plain } = screen;
  const { info, total, stores, regions, by } = view;
  const leaderless = info.regionCount - info.regionWithLeaderCount;
  const isUp = info.upStoreCount === info.registeredStoreCount;
  const state = [
    paint(`${info.upStoreCount} of ${info.registeredStoreCount} Stores up`, isUp ? "good" : "bad"),
    `${info.regionCount} Regions`,
    ...(leaderless === 0 ? [] : [paint(`${leaderless} without a leader`, "bad")]),
  ];
  const [writes, written, reads, read] = rateCells(total);
  const hot =
    regions.length === 0
      ? "no Region is read or written\n"
      : renderTable(regionColumns, regions.map(regionCells), screen);
  return (
    `${state.join(", ")}\n` +
    `${writes} writes/s of ${written}, ${reads} reads/s of ${read}\n\n` +
    `${renderTable(storeColumns, stores.map(storeCells), screen)}\n` +
    `${paint(`hottest by ${by.replace("-", " ")}`, "faint")}\n${hot}`
  );
}

function storeCells({ status: { store, stats, leaderCount, regionCount }, rates }: StoreRates): string[] {
  const size = (bytes: bigint | undefined): string =>
    bytes === undefined ? "?" : formatBytes(Number(bytes));
  return [
    String(store?.id ?? "?"),
    store?.address ?? "",
    stateName(store),
    String(leaderCount),
    String(regionCount),
    ...rateCells(rates),
    size(stats?.usedBytes),
    size(stats?.residentMemoryBytes),
  ];
}

function regionCells(route: RegionRoute): string[] {
  const { load } = route;
  return [
    String(route.region?.id ?? "?"),
    route.leader === undefined ? "none" : `Store ${route.leader.storeId}`,
    ...rateCells({
      writtenBytesPerSecond: Number(load?.writtenBytesPerSecond ?? 0n),
      writtenKeysPerSecond: Number(load?.writtenKeysPerSecond ?? 0n),
      readBytesPerSecond: Number(load?.readBytesPerSecond ?? 0n),
      readKeysPerSecond: Number(load?.readKeysPerSecond ?? 0n),
    }),
    formatBytes(Number(route.approximateSizeBytes)),
    formatRange(route, false),
  ];
}

function rateCells(rates: Rates): [string, string, string, string] {
  return [
    String(rates.writtenKeysPerSecond),
    `${formatBytes(rates.writtenBytesPerSecond)}/s`,
    String(rates.readKeysPerSecond),
    `${formatBytes(rates.readBytesPerSecond)}/s`,
  ];
}
