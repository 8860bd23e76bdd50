import { create } from "@bufbuild/protobuf";
import { type KvRequest, KvRequestSchema, ReadFrom } from "@flaredb/rdb-proto";
import type { SentIdentity } from "./client-writes.ts";

/** A request's command, without its id and deadline. */
export type KvCommand = Exclude<KvRequest["command"], { case: undefined }>;

type CommandInit = NonNullable<Parameters<typeof create<typeof KvRequestSchema>>[1]>["command"];

/** UTF-8 bytes, as keys and values of tests are texts. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}

/** A command from its fields; what is left out holds its zero. */
export function kvCommand(command: Exclude<CommandInit, undefined>): KvCommand {
  return create(KvRequestSchema, { command }).command as KvCommand;
}

export function kvRequest(options: {
  readonly requestId: number;
  readonly command: KvCommand;
  readonly timeoutMs?: number;
  readonly fromFollower?: boolean;
  readonly identity?: Pick<SentIdentity, "sequence" | "issuedAtMs"> | undefined;
}): KvRequest {
  return {
    $typeName: "rdb.v1.KvRequest",
    requestId: options.requestId,
    timeoutMs: options.timeoutMs ?? 0,
    readFrom: options.fromFollower === true ? ReadFrom.FOLLOWER : ReadFrom.UNSPECIFIED,
    command: options.command,
    sequence: options.identity?.sequence ?? 0,
    issuedAtMs: BigInt(options.identity?.issuedAtMs ?? 0),
  };
}

export function putCommand(key: string, value: string): KvCommand {
  return kvCommand({ case: "put", value: { key: bytes(key), value: bytes(value) } });
}

export function getCommand(key: string): KvCommand {
  return kvCommand({ case: "get", value: { key: bytes(key) } });
}

export function deleteCommand(key: string): KvCommand {
  return kvCommand({ case: "delete", value: { key: bytes(key) } });
}

/** Writes all rows or none. */
export function batchPutCommand(rows: Readonly<Record<string, string>>): KvCommand {
  const list = Object.entries(rows).map(([key, value]) => ({ key: bytes(key), value: bytes(value) }));
  return kvCommand({ case: "batchPut", value: { rows: list } });
}

/** Deletes [start, end). */
export function deleteRangeCommand(start: string, end: string): KvCommand {
  return kvCommand({ case: "deleteRange", value: { startKey: bytes(start), endKey: bytes(end) } });
}

/** Rows of [start, end); "" as end: to the end of the Region. */
export function scanCommand(start = "", end = "", limit = 0): KvCommand {
  return kvCommand({ case: "scan", value: { startKey: bytes(start), endKey: bytes(end), limit } });
}

/** `expected` undefined: the key must be absent. */
export function casCommand(key: string, expected: string | undefined, value: string): KvCommand {
  const condition =
    expected === undefined
      ? ({ case: "absent", value: true } as const)
      : ({ case: "value", value: bytes(expected) } as const);
  return kvCommand({
    case: "compareAndSwap",
    value: { key: bytes(key), expect: { condition }, value: bytes(value) },
  });
}

/** The key by which a command finds its Region. */
export function firstKey(command: KvCommand): Uint8Array {
  switch (command.case) {
    case "scan":
    case "deleteRange":
      return command.value.startKey;
    case "batchGet":
    case "batchDelete":
      return command.value.keys[0] ?? new Uint8Array(0);
    case "batchPut":
      return command.value.rows[0]?.key ?? new Uint8Array(0);
    case "conditionalBatch":
      return command.value.conditions[0]?.key ?? new Uint8Array(0);
    default:
      return command.value.key;
  }
}
