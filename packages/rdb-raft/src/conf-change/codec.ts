import { assert, type PeerId } from "@flaredb/rdb-base";
import type {
  ConfChangeSingle,
  ConfChangeTransition,
  ConfChangeType,
  ConfChangeV1,
  ConfChangeV2,
  EntryType,
} from "../messages.ts";
import type { ConfChange } from "./conf-change.ts";
import { type Field, FieldReader, FieldWriter } from "./wire.ts";

/**
 * The data of a conf change's entry. The bytes are those of etcd-io/raft's protobuf messages `ConfChange` and
 * `ConfChangeV2`, so that limits on sizes count the same.
 */
export function encodeConfChange(change: ConfChange): Uint8Array {
  const writer = new FieldWriter();
  if (change.version === 1) {
    // Field 1 was an id of the change that nothing reads.
    writer.number(1, 0);
    writeChange(writer, change, 2);
    writer.bytes(4, change.context);
    return writer.finish();
  }
  writer.number(1, TRANSITIONS.indexOf(change.transition));
  for (const single of change.changes) {
    const nested = new FieldWriter();
    writeChange(nested, single, 1);
    writer.message(2, nested.finish());
  }
  writer.bytes(3, change.context);
  return writer.finish();
}

/**
 * The change in an entry; undefined for an entry that holds none. Empty data stands for the change that leaves
 * a joint configuration. Data that is no conf change breaks an invariant: the log's content was checked before.
 */
export function decodeConfChange(type: EntryType, data: Uint8Array): ConfChange | undefined {
  if (type === "Normal") {
    return undefined;
  }
  const fields = new FieldReader(data).readAll();
  return type === "ConfChange" ? { version: 1, ...decodeV1(fields) } : { version: 2, ...decodeV2(fields) };
}

const TRANSITIONS: readonly ConfChangeTransition[] = ["Auto", "JointImplicit", "JointExplicit"];
const CHANGE_TYPES: readonly ConfChangeType[] = ["AddNode", "RemoveNode", "UpdateNode", "AddLearnerNode"];

function writeChange(writer: FieldWriter, single: ConfChangeSingle, firstField: number): void {
  writer.number(firstField, CHANGE_TYPES.indexOf(single.type));
  writer.number(firstField + 1, single.nodeId);
}

function decodeV1(fields: readonly Field[]): ConfChangeV1 {
  return { ...decodeSingle(fields, 2), context: bytesOf(fields, 4) };
}

function decodeV2(fields: readonly Field[]): ConfChangeV2 {
  const changes: ConfChangeSingle[] = [];
  for (const field of fields) {
    if (field.number === 2 && typeof field.value !== "number") {
      changes.push(decodeSingle(new FieldReader(field.value).readAll(), 1));
    }
  }
  const transition = TRANSITIONS[numberOf(fields, 1)];
  assert(transition !== undefined, "a conf change names a known transition");
  return { transition, changes, context: bytesOf(fields, 3) };
}

function decodeSingle(fields: readonly Field[], firstField: number): ConfChangeSingle {
  const type = CHANGE_TYPES[numberOf(fields, firstField)];
  assert(type !== undefined, "a conf change is of a known type");
  return { type, nodeId: numberOf(fields, firstField + 1) as PeerId };
}

function numberOf(fields: readonly Field[], number: number): number {
  const value = fields.find((field) => field.number === number)?.value;
  return typeof value === "number" ? value : 0;
}

function bytesOf(fields: readonly Field[], number: number): Uint8Array {
  const value = fields.find((field) => field.number === number)?.value;
  return value instanceof Uint8Array ? value : new Uint8Array(0);
}
