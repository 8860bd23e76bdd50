import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { MiB, RdbError, type Region } from "@flaredb/rdb-base";
import { RegionSchema, regionFromProto, regionToProto } from "@flaredb/rdb-proto";
import type { SnapshotChunk } from "@flaredb/rdb-storage";

// A received snapshot on disk: a line that names the format; the Region as proto, with its length and CRC-32 before
// it; then the chunks as they came: index, CRC-32, length (u32, big endian), last (u8), data.
const FORMAT_LINE = Buffer.from("flaredb-snapshot 1\n");
const REGION_PREFIX_BYTES = 8;
const CHUNK_PREFIX_BYTES = 13;
/** More than any Region takes, whose keys are short. */
const REGION_MAX_BYTES = 1 * MiB;
/** Longer than any chunk that is taken from the wire. */
export const CHUNK_MAX_BYTES: number = 8 * MiB;

/** Ids become file names. */
const ID_PATTERN = /^[A-Za-z0-9_-]{1,100}$/;

/** Whether a snapshot may have this id: it can be a file's name. */
export function isSnapshotId(id: string): boolean {
  return ID_PATTERN.test(id);
}

/** The bytes with which a file begins. */
export function encodeFileHeader(region: Region): Uint8Array {
  const bytes = toBinary(RegionSchema, regionToProto(region));
  const prefix = Buffer.alloc(REGION_PREFIX_BYTES);
  prefix.writeUInt32BE(bytes.length, 0);
  prefix.writeUInt32BE(crc32(bytes), 4);
  return Buffer.concat([FORMAT_LINE, prefix, bytes]);
}

/** What stands before a chunk's data. */
export function encodeChunkPrefix(chunk: SnapshotChunk): Uint8Array {
  const prefix = Buffer.alloc(CHUNK_PREFIX_BYTES);
  prefix.writeUInt32BE(chunk.index, 0);
  prefix.writeUInt32BE(chunk.crc32, 4);
  prefix.writeUInt32BE(chunk.data.length, 8);
  prefix.writeUInt8(chunk.last ? 1 : 0, 12);
  return prefix;
}

/** Reads a file front to back. Everything it throws is RdbError RDB_DATA_CORRUPT. */
export class SnapshotFileReader {
  readonly #file: FileHandle;
  readonly #path: string;

  constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /** To be read first. */
  async region(): Promise<Region> {
    const prefix = await this.#exactly(FORMAT_LINE.length + REGION_PREFIX_BYTES);
    if (!prefix.subarray(0, FORMAT_LINE.length).equals(FORMAT_LINE)) {
      return this.#fail("does not begin as a snapshot does");
    }
    const bytes = await this.#exactly(
      this.#length(prefix.readUInt32BE(FORMAT_LINE.length), REGION_MAX_BYTES),
    );
    if (crc32(bytes) !== prefix.readUInt32BE(FORMAT_LINE.length + 4)) {
      return this.#fail("names a Region whose checksum does not fit");
    }
    return regionFromProto(fromBinary(RegionSchema, bytes));
  }

  /** The chunks, unchecked but for their length: see rdb-storage's SnapshotChunkReader. */
  async *chunks(): AsyncGenerator<SnapshotChunk, void, undefined> {
    for (;;) {
      const prefix = await this.#exactly(CHUNK_PREFIX_BYTES);
      const data = await this.#exactly(this.#length(prefix.readUInt32BE(8), CHUNK_MAX_BYTES));
      const last = prefix.readUInt8(12) === 1;
      yield { index: prefix.readUInt32BE(0), crc32: prefix.readUInt32BE(4), data, last };
      if (last) {
        return;
      }
    }
  }

  #length(bytes: number, maxBytes: number): number {
    return bytes <= maxBytes ? bytes : this.#fail(`has a part of ${bytes} bytes, the most is ${maxBytes}`);
  }

  async #exactly(length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#file.read(buffer, filled, length - filled);
      if (bytesRead === 0) {
        return this.#fail(`ends in a part of ${length} bytes`);
      }
      filled += bytesRead;
    }
    return buffer;
  }

  #fail(problem: string): never {
    throw new RdbError("RDB_DATA_CORRUPT", `the snapshot file ${this.#path} ${problem}`);
  }
}
