import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ClientSession } from "../gen/rdb/v1/kv_service_pb.ts";
import {
  type LogCommand,
  LogCommandSchema,
  type WriteCommand,
  WriteCommandSchema,
  type WriteRun,
} from "../gen/rdb/v1/log_command_pb.ts";
import { BackwardWriter, VARINT_MAX_BYTES } from "./backward-writer.ts";
import { batchPutSizeBytes, readBatchPut, writeBatchPut } from "./batch-commands.ts";
import { PUT_OVERHEAD_BYTES, readDelete, readPut, writeKey, writePut } from "./point-commands.ts";
import { ProtoReader, tag } from "./proto-reader.ts";
import { readGenerated } from "./read-generated.ts";
import { readSession, writeSession } from "./region-header.ts";

// An entry of puts, deletes and batches of puts, read and written by hand: every follower reads each once. The bytes are
// those of the generated code, which stays the reference and does the other commands.

const EPOCH_VERSION = tag.varint(1);
const EPOCH_CONF_VER = tag.varint(2);
const LOG_TIME_MS = tag.varint(3);
const WRITES = tag.bytes(4);
const SESSIONS = tag.bytes(7);
const RUNS = tag.bytes(8);

const WRITE = tag.bytes(1);
const PUT = tag.bytes(1);
const DELETE = tag.bytes(2);
const BATCH_PUT = tag.bytes(3);

const RUN_SESSION = tag.varint(1);
const RUN_FIRST_SEQUENCE = tag.varint(2);
const RUN_COUNT = tag.varint(3);
const RUN_ISSUED_OFFSET_MS = tag.varint(4);

const NUMBER_FIELD_BYTES = 1 + VARINT_MAX_BYTES;

/** An entry's bytes; errors as those of `fromBinary`. Keys and values are views of the entry. */
export function decodeLogEntry(data: Uint8Array): LogCommand {
  const reader = new ProtoReader(data);
  const numbers = { version: 0, confVer: 0, logTimeMs: 0 };
  const writes: WriteCommand[] = [];
  const sessions: ClientSession[] = [];
  const runs: WriteRun[] = [];
  let hasWrites = false;
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    switch (next) {
      case EPOCH_VERSION:
        numbers.version = reader.number();
        break;
      case EPOCH_CONF_VER:
        numbers.confVer = reader.number();
        break;
      case LOG_TIME_MS:
        numbers.logTimeMs = reader.number();
        break;
      case WRITES:
        hasWrites = true;
        readWrites(reader, writes);
        break;
      case SESSIONS:
        sessions.push(readSession(reader));
        break;
      case RUNS:
        runs.push(readRun(reader));
        break;
      default:
        reader.odd();
    }
  }
  if (reader.isOdd || !hasWrites) {
    return fromBinary(LogCommandSchema, data);
  }
  return {
    $typeName: "rdb.v1.LogCommand",
    epochVersion: BigInt(numbers.version),
    epochConfVer: BigInt(numbers.confVer),
    logTimeMs: BigInt(numbers.logTimeMs),
    command: { case: "writes", value: { $typeName: "rdb.v1.WriteCommands", writes } },
    sessions,
    runs,
  };
}

/** An entry's bytes. Numbers of a command of writes are safe integers. */
export function encodeLogEntry(command: LogCommand): Uint8Array {
  if (command.command.case !== "writes") {
    return toBinary(LogCommandSchema, command);
  }
  const writes = command.command.value.writes.map(prepared);
  let capacity = (4 + 3 * command.sessions.length + 5 * command.runs.length) * NUMBER_FIELD_BYTES;
  for (const write of writes) {
    capacity += sizeBytes(write);
  }
  const writer = new BackwardWriter(capacity, "kept");
  for (const run of command.runs.toReversed()) {
    writeRun(writer, run);
  }
  for (const session of command.sessions.toReversed()) {
    writeSession(writer, 7, session);
  }
  const before = writer.writtenBytes;
  for (let i = writes.length - 1; i >= 0; i--) {
    writeOne(writer, writes[i] as WriteCommand | Uint8Array);
  }
  writer.message(4, before);
  writer.number(3, Number(command.logTimeMs));
  writer.number(2, Number(command.epochConfVer));
  writer.number(1, Number(command.epochVersion));
  return writer.finish();
}

function readWrites(reader: ProtoReader, writes: WriteCommand[]): void {
  const outerEnd = reader.enter();
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    if (next === WRITE) {
      writes.push(readWrite(reader));
    } else {
      reader.odd();
    }
  }
  reader.leave(outerEnd);
}

function readWrite(reader: ProtoReader): WriteCommand {
  let command: WriteCommand["command"] | undefined;
  const start = reader.position;
  const outerEnd = reader.enter();
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    if (next === PUT && command === undefined) {
      command = { case: "put", value: readPut(reader) };
    } else if (next === DELETE && command === undefined) {
      command = { case: "delete", value: readDelete(reader) };
    } else if (next === BATCH_PUT && command === undefined) {
      command = { case: "batchPut", value: readBatchPut(reader) };
    } else {
      return readGenerated(WriteCommandSchema, reader, reader.rewind(start, outerEnd));
    }
  }
  reader.leave(outerEnd);
  return { $typeName: "rdb.v1.WriteCommand", command: command ?? { case: undefined } };
}

function readRun(reader: ProtoReader): WriteRun {
  const run: WriteRun = {
    $typeName: "rdb.v1.WriteRun",
    session: 0,
    firstSequence: 0,
    count: 0,
    issuedOffsetMs: 0,
  };
  const outerEnd = reader.enter();
  for (let next = reader.nextTag(); next !== 0; next = reader.nextTag()) {
    switch (next) {
      case RUN_SESSION:
        run.session = reader.uint32();
        break;
      case RUN_FIRST_SEQUENCE:
        run.firstSequence = reader.uint32();
        break;
      case RUN_COUNT:
        run.count = reader.uint32();
        break;
      case RUN_ISSUED_OFFSET_MS:
        run.issuedOffsetMs = reader.sint32();
        break;
      default:
        reader.odd();
    }
  }
  reader.leave(outerEnd);
  return run;
}

/** The write, or its bytes when it is none that is written by hand. */
function prepared(write: WriteCommand): WriteCommand | Uint8Array {
  const { case: kind } = write.command;
  const byHand = kind === "put" || kind === "delete" || kind === "batchPut";
  return byHand ? write : toBinary(WriteCommandSchema, write);
}

function sizeBytes(write: WriteCommand | Uint8Array): number {
  if (write instanceof Uint8Array) {
    return write.length + VARINT_MAX_BYTES;
  }
  const { command } = write;
  const overheadBytes = 2 * VARINT_MAX_BYTES + PUT_OVERHEAD_BYTES;
  switch (command.case) {
    case "put":
      return overheadBytes + command.value.key.length + command.value.value.length;
    case "delete":
      return overheadBytes + command.value.key.length;
    case "batchPut":
      return overheadBytes + batchPutSizeBytes(command.value);
    default:
      return overheadBytes;
  }
}

function writeOne(writer: BackwardWriter, write: WriteCommand | Uint8Array): void {
  if (write instanceof Uint8Array) {
    writer.embed(1, write);
    return;
  }
  const { command } = write;
  const before = writer.writtenBytes;
  if (command.case === "put") {
    writePut(writer, 1, command.value);
  } else if (command.case === "delete") {
    writeKey(writer, 2, command.value);
  } else if (command.case === "batchPut") {
    writeBatchPut(writer, 3, command.value);
  }
  writer.message(1, before);
}

function writeRun(writer: BackwardWriter, run: WriteRun): void {
  const before = writer.writtenBytes;
  writer.signed(4, run.issuedOffsetMs);
  writer.number(3, run.count);
  writer.number(2, run.firstSequence);
  writer.number(1, run.session);
  writer.message(8, before);
}
