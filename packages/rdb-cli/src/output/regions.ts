import type { Peer, RegionLoad, RegionRoute, Store } from "@flaredb/rdb-proto";
import { PeerRole } from "@flaredb/rdb-proto";
import { roleName } from "../cluster-json.ts";
import { type Column, type Screen, renderFields, renderTable } from "./table.ts";
import type { Style } from "./paint.ts";
import { formatBytes, printable, toHex } from "./text.ts";

const columns: readonly Column[] = [
  { title: "REGION", align: "right" },
  { title: "START KEY", shrinks: "middle" },
  { title: "END KEY", shrinks: "middle" },
  { title: "LEADER", style: (cell) => (cell === "none" ? "bad" : undefined) },
  { title: "PEERS", style: peersStyle },
  { title: "EPOCH" },
  { title: "SIZE", align: "right" },
  { title: "KEYS", align: "right" },
  { title: "WRITES", align: "right" },
  { title: "READS", align: "right" },
];

/** Regions as a table; Stores are named by their ids. */
export function renderRegions(
  routes: readonly RegionRoute[],
  options: Screen & { readonly hex: boolean },
): string {
  const rows = routes.map((route) => [
    String(route.region?.id ?? "?"),
    formatBound(route.region?.startKey, options.hex),
    formatBound(route.region?.endKey, options.hex),
    route.leader === undefined ? "none" : `Store ${route.leader.storeId}`,
    (route.region?.peers ?? []).map((peer) => formatPeer(peer, route)).join(", "),
    formatEpoch(route),
    formatBytes(Number(route.approximateSizeBytes)),
    String(route.approximateKeyCount),
    `${formatBytes(Number(route.load?.writtenBytesPerSecond ?? 0n))}/s`,
    `${formatBytes(Number(route.load?.readBytesPerSecond ?? 0n))}/s`,
  ]);
  return renderTable(columns, rows, options);
}

/** One Region with all that PD knows of it. */
export function renderRegion(route: RegionRoute, stores: readonly Store[], hex: boolean): string {
  const addresses = new Map(stores.map((store) => [store.id, store.address]));
  const peers = (route.region?.peers ?? []).map((peer) => {
    const marks = [
      roleName(peer.role),
      ...(peer.id === route.leader?.id ? ["leader"] : []),
      ...troubles(peer, route),
    ];
    return `peer ${peer.id} on Store ${peer.storeId} at ${addresses.get(peer.storeId) ?? "?"} (${marks.join(", ")})`;
  });
  return renderFields([
    ["region", String(route.region?.id ?? "?")],
    ["start key", formatBound(route.region?.startKey, hex)],
    ["end key", formatBound(route.region?.endKey, hex)],
    ["epoch", `${formatEpoch(route)} (conf_ver/version)`],
    [
      "leader",
      route.leader === undefined ? "none known" : `Store ${route.leader.storeId}, term ${route.term}`,
    ],
    ["size", `about ${formatBytes(Number(route.approximateSizeBytes))} in ${route.approximateKeyCount} keys`],
    ["load", formatLoad(route.load)],
    [
      "compared",
      route.verifiedIndex === 0n
        ? "not in this term"
        : `the peers had the same rows at index ${route.verifiedIndex}`,
    ],
    ...peers.map((peer, at) => [at === 0 ? "peers" : "", peer] as const),
  ]).replaceAll(/^:/gm, " ");
}

/** The keys of a Region: `["m", "t")`. */
export function formatRange({ region }: RegionRoute, hex: boolean): string {
  return `[${formatBound(region?.startKey, hex)}, ${formatBound(region?.endKey, hex)})`;
}

function formatLoad(load: RegionLoad | undefined): string {
  const part = (bytes: bigint = 0n, keys: bigint = 0n): string =>
    `${formatBytes(Number(bytes))}/s in ${keys} keys/s`;
  return (
    `${part(load?.writtenBytesPerSecond, load?.writtenKeysPerSecond)} written, ` +
    `${part(load?.readBytesPerSecond, load?.readKeysPerSecond)} read`
  );
}

// The empty key is the lowest, and as an end it is none: quotes tell it from nothing printed.
function formatBound(key: Uint8Array | undefined, hex: boolean): string {
  if (key === undefined || key.length === 0) {
    return '""';
  }
  return hex ? toHex(key) : `"${printable(key)}"`;
}

function formatEpoch(route: RegionRoute): string {
  return `${route.region?.epoch?.confVer ?? "?"}/${route.region?.epoch?.version ?? "?"}`;
}

function formatPeer(peer: Peer, route: RegionRoute): string {
  const marks = [...(peer.role === PeerRole.VOTER ? [] : [roleName(peer.role)]), ...troubles(peer, route)];
  return marks.length === 0 ? String(peer.storeId) : `${peer.storeId} (${marks.join(", ")})`;
}

function peersStyle(cell: string): Style | undefined {
  return /down|damaged/.test(cell) ? "bad" : /behind/.test(cell) ? "warn" : undefined;
}

function troubles(peer: Peer, route: RegionRoute): string[] {
  return [
    ...(route.downPeerIds.includes(peer.id) ? ["down"] : []),
    ...(route.pendingPeerIds.includes(peer.id) ? ["behind"] : []),
    ...(route.damagedPeerIds.includes(peer.id) ? ["damaged"] : []),
  ];
}
