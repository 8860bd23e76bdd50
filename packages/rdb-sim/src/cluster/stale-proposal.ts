import { create, toBinary } from "@bufbuild/protobuf";
import { type Peer, type Region, assert } from "@flaredb/rdb-base";
import { LogCommandSchema } from "@flaredb/rdb-proto";
import { newMessage } from "@flaredb/rdb-raft";
import type { RunningStore } from "@flaredb/rdb-server";

/** As a Store receives it. */
type PeerMessage = Parameters<RunningStore["store"]["receive"]>[0][number];

/**
 * A proposal that another peer made for the Region as it was before, and that reaches the leader only now. Were it
 * applied, it would delete everything that the Region has: its epoch is out of date, so it must do nothing.
 */
export function staleProposal(region: Region, from: Peer, to: Peer): PeerMessage {
  assert(region.epoch.version > 0, "there was a version before");
  const { id: regionId, epoch, startKey, endKey } = region;
  const command = create(LogCommandSchema, {
    epochVersion: BigInt(epoch.version - 1),
    epochConfVer: BigInt(epoch.confVer),
    command: { case: "deleteRange", value: { startKey, endKey } },
  });
  const data = toBinary(LogCommandSchema, command);
  const entry = { term: 0, index: 0, type: "Normal", data } as NonNullable<
    Parameters<typeof newMessage>[0]["entries"]
  >[number];
  const message = newMessage({ type: "MsgProp", from: from.id, to: to.id, entries: [entry] });
  return {
    regionId,
    fromPeer: from,
    toPeer: to,
    epoch,
    range: undefined,
    payload: { kind: "raft", message },
  };
}
