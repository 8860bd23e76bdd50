import { RdbError, assert } from "@flaredb/rdb-base";
import type { RegionEpoch } from "@flaredb/rdb-base";
import {
  type ClientSession,
  type DeleteRangeRequest,
  type KvRequest,
  type LogCommand,
  type WriteCommand,
  type WriteRun,
  decodeLogEntry,
  encodeLogEntry,
} from "@flaredb/rdb-proto";

/** What an entry of the log says, beside its epoch and time. */
export type CommandBody = LogCommand["command"];

/** The part of a request's command that is a write and can share an entry with others. */
export type FoldableCommand = WriteCommand["command"] & { case: string };

/** A request's write as it waits to be put into an entry. */
export type ProposableCommand =
  | FoldableCommand
  | { readonly case: "deleteRange"; readonly value: DeleteRangeRequest };

/**
 * A request's write in the form that the log holds, or undefined when it is no such write. The request's own
 * message is used, not copied.
 */
export function foldableCommand(command: KvRequest["command"]): FoldableCommand | undefined {
  switch (command.case) {
    case "put":
    case "delete":
    case "batchPut":
    case "batchDelete":
    case "compareAndSwap":
    case "compareAndDelete":
    case "conditionalBatch":
      return command;
    default:
      return undefined;
  }
}

/** Several requests' writes as one entry. */
export function foldedBody(commands: readonly FoldableCommand[]): CommandBody {
  return {
    case: "writes",
    value: {
      $typeName: "rdb.v1.WriteCommands",
      writes: commands.map((command) => ({ $typeName: "rdb.v1.WriteCommand", command })),
    },
  };
}

/** What one entry says for requests that share it; a deleteRange shares none. */
export function entryBody(commands: readonly ProposableCommand[]): CommandBody {
  const [first] = commands;
  if (first?.case === "deleteRange") {
    assert(commands.length === 1, "a deleteRange has an entry of its own");
    return deleteRangeBody(first.value);
  }
  return foldedBody(commands as readonly FoldableCommand[]);
}

export function deleteRangeBody(request: DeleteRangeRequest): CommandBody {
  return { case: "deleteRange", value: request };
}

export function compactLogBody(index: number, term: number): CommandBody {
  return {
    case: "compactLog",
    value: { $typeName: "rdb.v1.CompactLogCommand", index: BigInt(index), term: BigInt(term) },
  };
}

/** Whose writes an entry holds, and which. */
export interface EntryIdentity {
  readonly sessions: readonly ClientSession[];
  readonly runs: readonly WriteRun[];
}

const NO_IDENTITY: EntryIdentity = { sessions: [], runs: [] };

/** The command as the state machine takes it: the same object on the leader that made it and decoded elsewhere. */
export function logCommand(
  epoch: RegionEpoch,
  logTimeMs: number,
  body: CommandBody,
  identity: EntryIdentity = NO_IDENTITY,
): LogCommand {
  return {
    $typeName: "rdb.v1.LogCommand",
    epochVersion: BigInt(epoch.version),
    epochConfVer: BigInt(epoch.confVer),
    logTimeMs: BigInt(logTimeMs),
    command: body,
    sessions: [...identity.sessions],
    runs: [...identity.runs],
  };
}

export function encodeLogCommand(command: LogCommand): Uint8Array {
  return encodeLogEntry(command);
}

/**
 * @throws RdbError RDB_DATA_CORRUPT when the bytes are no command, or one that this program does not know: the peer
 * must stop, for to skip it would be to differ from the others
 */
export function decodeLogCommand(data: Uint8Array): LogCommand {
  let command: LogCommand;
  try {
    command = decodeLogEntry(data);
  } catch (error) {
    throw new RdbError("RDB_DATA_CORRUPT", `log entry of ${data.length} bytes is no command`, {
      cause: error,
    });
  }
  if (command.command.case === undefined) {
    throw new RdbError(
      "RDB_DATA_CORRUPT",
      "log entry holds a command that this program does not know: upgrade it",
    );
  }
  return command;
}
