import { formatKey } from "@flaredb/rdb-base";
import { type Peer, PeerRole, type RegionRoute } from "@flaredb/rdb-proto";
import { z } from "zod";
import { count, id, timeMs } from "../schemas.ts";

/** A peer's part in its Region. */
export const roleSchema = z.enum(["voter", "learner", "incoming voter", "demoting voter", "unknown"]);

const roleNames: Readonly<Record<number, z.output<typeof roleSchema>>> = {
  [PeerRole.VOTER]: "voter",
  [PeerRole.LEARNER]: "learner",
  [PeerRole.INCOMING_VOTER]: "incoming voter",
  [PeerRole.DEMOTING_VOTER]: "demoting voter",
};

const peerSchema = z
  .strictObject({ id, storeId: id, role: roleSchema })
  .meta({ id: "Peer", description: "One copy of a Region." });

const loadSchema = z.strictObject({
  writtenBytesPerSecond: count,
  writtenKeysPerSecond: count,
  readBytesPerSecond: count,
  readKeysPerSecond: count,
});

export const regionSchema = z
  .strictObject({
    id,
    startKey: z
      .string()
      .describe(
        "Printable ASCII as it is, other bytes as \\xNN, as `rdb region list` prints it. Empty: no bound.",
      ),
    startKeyHex: z.string().describe("The same as hexadecimal digits."),
    endKey: z.string().describe("The first key behind the Region. Empty: no bound."),
    endKeyHex: z.string(),
    epoch: z.strictObject({ confVer: count, version: count }),
    peers: z.array(peerSchema),
    leader: peerSchema.nullable().describe("null while none is known."),
    term: count,
    approximateSizeBytes: count,
    approximateKeyCount: count,
    downPeerIds: z.array(id),
    pendingPeerIds: z.array(id).describe("Peers that lag."),
    damagedPeerIds: z.array(id).describe("Peers whose rows differ from the leader's."),
    verifiedIndex: count.describe("Up to this index the peers were compared last."),
    load: loadSchema,
    reportedMs: timeMs.describe("When its leader last reported."),
  })
  .meta({
    id: "Region",
    description: "A Region, as `rdb region show --json` has it, with its keys in two forms.",
  });

/** As the command line's `--json`; a key in two forms, so that neither is ever absent. */
export function regionDocument(route: RegionRoute | undefined): z.output<typeof regionSchema> {
  const { region, leader } = route ?? {};
  const { startKey = NO_KEY, endKey = NO_KEY } = region ?? {};
  return {
    id: Number(region?.id ?? 0n),
    startKey: formatKey(startKey),
    startKeyHex: toHex(startKey),
    endKey: formatKey(endKey),
    endKeyHex: toHex(endKey),
    epoch: { confVer: Number(region?.epoch?.confVer ?? 0n), version: Number(region?.epoch?.version ?? 0n) },
    peers: region?.peers.map(peerDocument) ?? [],
    leader: leader === undefined ? null : peerDocument(leader),
    term: Number(route?.term ?? 0n),
    approximateSizeBytes: Number(route?.approximateSizeBytes ?? 0n),
    approximateKeyCount: Number(route?.approximateKeyCount ?? 0n),
    downPeerIds: (route?.downPeerIds ?? []).map(Number),
    pendingPeerIds: (route?.pendingPeerIds ?? []).map(Number),
    damagedPeerIds: (route?.damagedPeerIds ?? []).map(Number),
    verifiedIndex: Number(route?.verifiedIndex ?? 0n),
    load: loadDocument(route?.load),
    reportedMs: Number(route?.reportedMs ?? 0n),
  };
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

const NO_KEY = new Uint8Array();

function loadDocument(load: RegionRoute["load"]): z.output<typeof loadSchema> {
  return {
    writtenBytesPerSecond: Number(load?.writtenBytesPerSecond ?? 0n),
    writtenKeysPerSecond: Number(load?.writtenKeysPerSecond ?? 0n),
    readBytesPerSecond: Number(load?.readBytesPerSecond ?? 0n),
    readKeysPerSecond: Number(load?.readKeysPerSecond ?? 0n),
  };
}

function peerDocument(peer: Peer): z.output<typeof peerSchema> {
  return { id: Number(peer.id), storeId: Number(peer.storeId), role: roleNameOf(peer) };
}

export function roleNameOf(peer: Peer | undefined): z.output<typeof roleSchema> {
  return roleNames[peer?.role ?? PeerRole.UNSPECIFIED] ?? "unknown";
}
