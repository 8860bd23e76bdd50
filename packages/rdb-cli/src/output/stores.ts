import type { StoreLimits, StoreStatus } from "@flaredb/rdb-proto";
import { stateName } from "../cluster-json.ts";
import { type Column, type Screen, renderFields, renderTable } from "./table.ts";
import type { Style } from "./paint.ts";
import { formatBytes, formatDuration } from "./text.ts";

const columns: readonly Column[] = [
  { title: "STORE", align: "right" },
  { title: "ADDRESS" },
  { title: "STATE", style: storeStateStyle },
  { title: "VERSION" },
  { title: "REGIONS", align: "right" },
  { title: "LEADERS", align: "right" },
  { title: "USED", align: "right" },
  { title: "AVAILABLE", align: "right" },
  { title: "MEMORY", align: "right" },
  { title: "HEARD OF" },
  { title: "LABELS", shrinks: "end" },
];

/** Stores as a table. `nowMs` is the wall clock. */
export function renderStores(
  statuses: readonly StoreStatus[],
  options: Screen & { readonly nowMs: number },
): string {
  const rows = statuses.map((status) => [
    String(status.store?.id ?? "?"),
    status.store?.address ?? "",
    [stateName(status.store), ...troubles(status)].join(", "),
    formatVersion(status),
    String(status.regionCount),
    String(status.leaderCount),
    formatSize(status.stats?.usedBytes),
    formatSize(status.stats?.availableBytes),
    formatSize(status.stats?.residentMemoryBytes),
    lastHeard(status, options.nowMs),
    formatLabels(status),
  ]);
  return renderTable(columns, rows, options);
}

/** One Store with all that PD knows of it. */
export function renderStore(status: StoreStatus, nowMs: number): string {
  const { store, stats, limits } = status;
  return renderFields([
    ["store", String(store?.id ?? "?")],
    ["state", [stateName(store), ...troubles(status)].join(", ")],
    ["rpc address", store?.address ?? ""],
    ["http address", store?.httpAddress ?? ""],
    ["labels", formatLabels(status) || "none"],
    ["program", store?.programVersion || "unknown"],
    ["knows cluster version", String(store?.clusterVersion || "unknown")],
    ["heard of", lastHeard(status, nowMs)],
    [
      "regions",
      `${status.regionCount} of about ${formatSize(status.regionSizeBytes)}, leader of ${status.leaderCount}`,
    ],
    [
      "disk",
      `${formatSize(stats?.usedBytes)} used, ${formatSize(stats?.availableBytes)} of ${formatSize(stats?.capacityBytes)} available`,
    ],
    ["limits", limits === undefined ? "unknown" : formatLimits(limits)],
    ["memory", `${formatSize(stats?.residentMemoryBytes)} resident`],
    ["requests", `${stats?.putCount ?? 0} puts, ${stats?.getCount ?? 0} gets since its start`],
  ]);
}

/** `takes in 1 of 15 peers at a time, gives away 0 of 2 (its own)` */
function formatLimits(limits: StoreLimits): string {
  const { addLimit, removeLimit, isOwnAddLimit, isOwnRemoveLimit, addingCount, removingCount } = limits;
  const own = (isOwn: boolean): string => (isOwn ? " (its own)" : "");
  return `takes in ${addingCount} of ${addLimit} peers at a time${own(isOwnAddLimit)}, gives away ${removingCount} of ${removeLimit}${own(isOwnRemoveLimit)}`;
}

/** How a Store's state looks where there are colours. */
export function storeStateStyle(cell: string): Style {
  return cell === "up" ? "good" : cell.startsWith("down") || cell.includes("full") ? "bad" : "warn";
}

function troubles(status: StoreStatus): string[] {
  return [
    ...(status.evictsLeaders ? ["evicting leaders"] : []),
    ...(status.stats?.isSlow ? ["slow disk"] : []),
    ...(status.stats?.isFull ? ["disk full"] : []),
  ];
}

/** Of the program, with the newest cluster version that it knows. */
function formatVersion({ store }: StoreStatus): string {
  return `${store?.programVersion || "?"} (${store?.clusterVersion || "?"})`;
}

function formatSize(sizeBytes: bigint | undefined): string {
  return sizeBytes === undefined ? "?" : formatBytes(Number(sizeBytes));
}

function lastHeard(status: StoreStatus, nowMs: number): string {
  const heardMs = Number(status.store?.lastHeartbeatMs ?? 0);
  return heardMs === 0 ? "never" : `${formatDuration(nowMs - heardMs)} ago`;
}

function formatLabels(status: StoreStatus): string {
  return Object.entries(status.store?.labels ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}
