import { safeInteger } from "@flaredb/rdb-base";
import { type CommandRefusal, CommandRefusalReason } from "@flaredb/rdb-proto";
import { pdLimits } from "../limits.ts";
import type { Refusal, RefusalReason } from "../operator/refusal.ts";
import { fromWire } from "./from-wire.ts";

const reasons: Readonly<Record<CommandRefusalReason, RefusalReason>> = {
  // A newer Store's reason is waited out: it may pass, and the step's timeout ends it.
  [CommandRefusalReason.UNSPECIFIED]: "Busy",
  [CommandRefusalReason.NOT_LEADER]: "NotLeader",
  [CommandRefusalReason.EPOCH_NOT_MATCH]: "EpochNotMatch",
  [CommandRefusalReason.BUSY]: "Busy",
  [CommandRefusalReason.QUORUM_AT_RISK]: "QuorumAtRisk",
  [CommandRefusalReason.IS_LEADER]: "IsLeader",
  [CommandRefusalReason.PEER_BEHIND]: "PeerBehind",
  [CommandRefusalReason.INVALID]: "Invalid",
  // Passes with the upgrade.
  [CommandRefusalReason.CLUSTER_VERSION]: "Busy",
};

/** @throws RdbError RDB_INVALID_ARGUMENT when a command id is no safe integer */
export function refusalsFromProto(messages: readonly CommandRefusal[]): Refusal[] {
  return messages.map((message) => ({
    commandId: fromWire(() => safeInteger(message.commandId, "command_id")),
    reason: reasons[message.reason] ?? "Busy",
    message: message.message.slice(0, pdLimits.messageMaxLength),
  }));
}
