import {
  type DescEnum,
  type DescMessage,
  type DescMethod,
  type Message,
  fromBinary,
} from "@bufbuild/protobuf";
import { KvService, MessageType, PdService, type RaftMessage, RaftService } from "@flaredb/rdb-proto";

/** A description is cut here: a line is for eyes. */
const TEXT_MAX_LENGTH = 300;
/** Bytes that are shown of a key or value. */
const BYTES_MAX_COUNT = 24;

const methods = new Map<string, DescMethod>(
  [RaftService, KvService, PdService].flatMap((service) =>
    service.methods.map((method) => [`/${service.typeName}/${method.name}`, method] as const),
  ),
);

/** `Raft`, `Kv Batch`, `Pd RegisterStore`: a method without its package. */
export function shortPath(path: string): string {
  const [, service = "", method = ""] = path.split("/");
  return `${service.replace(/^rdb\.v1\.|Service$/g, "")} ${method}`;
}

/** What a message says, in a line. */
export function describeMessage(path: string, isAnswer: boolean, bytes: Uint8Array): string {
  const method = methods.get(path);
  if (method === undefined) {
    return `${bytes.length} bytes`;
  }
  const schema = isAnswer ? method.output : method.input;
  const message = fromBinary(schema, bytes);
  const text =
    method === RaftService.method.batch && !isAnswer
      ? (message as Message & { messages: readonly RaftMessage[] }).messages.map(describeRaft).join("; ")
      : describeFields(schema, message);
  return text.length > TEXT_MAX_LENGTH ? `${text.slice(0, TEXT_MAX_LENGTH)}…` : text;
}

/** `R2 11→21 Append t6 i17 after t6 +2 commit=16`. */
function describeRaft({ regionId, fromPeer, toPeer, payload }: RaftMessage): string {
  const head = `R${regionId} ${fromPeer?.id}→${toPeer?.id}`;
  switch (payload.case) {
    case "message": {
      const { type, term, index, logTerm, entries, commit, reject, rejectHint } = payload.value;
      const words = [
        head,
        raftTypeName(type),
        `t${term} i${index}`,
        logTerm === 0n ? "" : `after t${logTerm}`,
        entries.length === 0 ? "" : `+${entries.length}`,
        commit === 0n ? "" : `commit=${commit}`,
        reject ? `rejected hint=${rejectHint}` : "",
      ];
      return words.filter((word) => word !== "").join(" ");
    }
    case "tombstone":
      return `${head} tombstone`;
    case "replicaHash":
      return `${head} replica hash i${payload.value.index}${payload.value.isDamaged ? " damaged" : ""}`;
    case "mergedInto":
      return `${head} merged into=${payload.value.id}`;
    case "askMerge":
      return `${head} ask merge into=${payload.value.targetId} of R${payload.value.keeperId}${payload.value.givesUp ? " gives up" : ""}`;
    case "mergeRefused":
      return `${head} merge refused i${payload.value.prepareIndex}`;
    case "hibernate":
      return `${head} hibernate step=${payload.value.step} t${payload.value.term}`;
    case undefined:
      return `${head} sign of life`;
  }
}

const raftTypeNames = new Map<number, string>(
  Object.entries(MessageType).map(([name, value]) => [value, name]),
);

function raftTypeName(type: number): string {
  return raftTypeNames.get(type) ?? `type ${type}`;
}

/** Fields that are set, as `name=value`. */
function describeFields(schema: DescMessage, message: Message): string {
  const values = message as unknown as Readonly<Record<string, unknown>>;
  const words: string[] = [];
  for (const member of schema.members) {
    if (member.kind === "oneof") {
      const chosen = values[member.localName] as { readonly case?: string; readonly value?: unknown };
      const field = member.fields.find(({ localName }) => localName === chosen.case);
      if (field !== undefined) {
        words.push(`${field.localName}=${describeValue(chosen.value, field.message)}`);
      }
      continue;
    }
    const value = values[member.localName];
    const isDefault = !value || (value instanceof Uint8Array && value.length === 0);
    if (isDefault || (Array.isArray(value) && value.length === 0)) {
      continue;
    }
    const enumName = member.enum === undefined ? undefined : enumValueName(member.enum, value);
    words.push(`${member.localName}=${enumName ?? describeValue(value, member.message)}`);
  }
  return words.join(" ");
}

function describeValue(value: unknown, schema: DescMessage | undefined): string {
  if (Array.isArray(value)) {
    return `[${value.map((item) => describeValue(item, schema)).join(", ")}]`;
  }
  if (value instanceof Uint8Array) {
    return describeBytes(value);
  }
  if (schema !== undefined && typeof value === "object" && value !== null) {
    return `{${describeFields(schema, value as Message)}}`;
  }
  return typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? "");
}

function describeBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, BYTES_MAX_COUNT)).toString("latin1");
  const shown = /^[\x20-\x7e]*$/.test(text)
    ? `"${text}"`
    : `0x${Buffer.from(bytes.subarray(0, BYTES_MAX_COUNT)).toString("hex")}`;
  return bytes.length > BYTES_MAX_COUNT ? `${shown}…(${bytes.length})` : shown;
}

function enumValueName(schema: DescEnum, value: unknown): string | undefined {
  return schema.value[value as number]?.name;
}
