import type { ClientSession, RegionHeader } from "../gen/rdb/v1/kv_service_pb.ts";
import type { RegionEpoch } from "../gen/rdb/v1/metapb_pb.ts";
import { type BackwardWriter, VARINT_MAX_BYTES } from "./backward-writer.ts";
import { type ProtoReader, tag } from "./proto-reader.ts";

// Of each Region that a batch of requests goes to: with many Regions there are few requests to each.

const REGION_ID = tag.varint(1);
const EPOCH = tag.bytes(2);
const STORE_ID = tag.varint(3);
const SESSION = tag.bytes(4);
const CONF_VER = tag.varint(1);
const VERSION = tag.varint(2);
const CLIENT_ID = tag.varint(1);
const LOWEST_OPEN_SEQUENCE = tag.varint(2);

/** Six numbers and three nested messages, each with its tag. */
export const REGION_HEADER_MAX_BYTES = 9 * (1 + VARINT_MAX_BYTES);

export function readRegionHeader(reader: ProtoReader): RegionHeader {
  let regionId = 0;
  let epoch: RegionEpoch | undefined;
  let storeId = 0;
  let session: ClientSession | undefined;
  const outerEnd = reader.enter();
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    if (next === REGION_ID) {
      regionId = reader.number();
    } else if (next === EPOCH && epoch === undefined) {
      epoch = readEpoch(reader);
    } else if (next === STORE_ID) {
      storeId = reader.number();
    } else if (next === SESSION && session === undefined) {
      session = readSession(reader);
    } else {
      reader.odd();
    }
  }
  reader.leave(outerEnd);
  return {
    $typeName: "rdb.v1.RegionHeader",
    regionId: BigInt(regionId),
    epoch,
    storeId: BigInt(storeId),
    session,
  };
}

/** Its numbers are safe integers. */
export function writeRegionHeader(writer: BackwardWriter, field: number, header: RegionHeader): void {
  const { regionId, epoch, storeId, session } = header;
  const before = writer.writtenBytes;
  if (session !== undefined) {
    writeSession(writer, 4, session);
  }
  writer.number(3, Number(storeId));
  if (epoch !== undefined) {
    const epochBefore = writer.writtenBytes;
    writer.number(2, Number(epoch.version));
    writer.number(1, Number(epoch.confVer));
    writer.message(2, epochBefore);
  }
  writer.number(1, Number(regionId));
  writer.message(field, before);
}

export function readSession(reader: ProtoReader): ClientSession {
  let clientId = 0;
  let lowestOpenSequence = 0;
  const outerEnd = reader.enter();
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    if (next === CLIENT_ID) {
      clientId = reader.number();
    } else if (next === LOWEST_OPEN_SEQUENCE) {
      lowestOpenSequence = reader.uint32();
    } else {
      reader.odd();
    }
  }
  reader.leave(outerEnd);
  return { $typeName: "rdb.v1.ClientSession", clientId: BigInt(clientId), lowestOpenSequence };
}

/** Its numbers are safe integers. */
export function writeSession(writer: BackwardWriter, field: number, session: ClientSession): void {
  const before = writer.writtenBytes;
  writer.number(2, session.lowestOpenSequence);
  writer.number(1, Number(session.clientId));
  writer.message(field, before);
}

function readEpoch(reader: ProtoReader): RegionEpoch {
  let confVer = 0;
  let version = 0;
  const outerEnd = reader.enter();
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    if (next === CONF_VER) {
      confVer = reader.number();
    } else if (next === VERSION) {
      version = reader.number();
    } else {
      reader.odd();
    }
  }
  reader.leave(outerEnd);
  return { $typeName: "rdb.v1.RegionEpoch", confVer: BigInt(confVer), version: BigInt(version) };
}
