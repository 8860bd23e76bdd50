import { type Peer, index, peerId, regionId, storeId, term } from "@flaredb/rdb-base";
import type { Message } from "@flaredb/rdb-raft";
import type { PeerMessage } from "../store/peer-message.ts";

/** A voter whose id is ten times its Store's. */
export function voterOn(store: number): Peer {
  return { id: peerId(store * 10), storeId: storeId(store), role: "Voter" };
}

/** A message between two Stores' peers, for tests. */
export function raftMessage(
  from: number,
  to: number,
  fields: Partial<Message> = {},
  region = 1,
): PeerMessage {
  const fromPeer = voterOn(from);
  const toPeer = voterOn(to);
  return {
    regionId: regionId(region),
    fromPeer,
    toPeer,
    epoch: { confVer: 1, version: 1 },
    range: undefined,
    payload: {
      kind: "raft",
      message: {
        type: "MsgAppResp",
        from: fromPeer.id,
        to: toPeer.id,
        term: term(5),
        logTerm: 0,
        index: 0,
        entries: [],
        commit: 0,
        vote: 0,
        snapshot: undefined,
        reject: false,
        rejectHint: 0,
        context: undefined,
        responses: [],
        ...fields,
      },
    },
  };
}

/** An append of one entry behind `previousIndex`. */
export function appendMessage(
  from: number,
  to: number,
  previousIndex: number,
  data: Uint8Array,
): PeerMessage {
  return raftMessage(from, to, {
    type: "MsgApp",
    logTerm: term(5),
    index: index(previousIndex),
    entries: [{ type: "Normal", term: term(5), index: index(previousIndex + 1), data }],
  });
}
