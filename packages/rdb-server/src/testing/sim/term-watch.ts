import { type PeerId, assert } from "@flaredb/rdb-base";
import type { PeerMessage } from "../../store/peer-message.ts";

/** Watches what is sent: in each term of a Region one peer at most speaks as the leader (SPEC R5). */
export class TermWatch {
  readonly #leaders = new Map<string, PeerId>();

  look({ regionId, fromPeer, payload }: PeerMessage): void {
    if (payload.kind !== "raft") {
      return;
    }
    const { type, term } = payload.message;
    if (type === "MsgApp" || type === "MsgHeartbeat" || type === "MsgSnap") {
      const key = `${regionId} ${term}`;
      const leader = this.#leaders.get(key) ?? fromPeer.id;
      this.#leaders.set(key, leader);
      assert(
        leader === fromPeer.id,
        `Region ${regionId} has one leader in term ${term}: peer ${leader}, not ${fromPeer.id} as well`,
      );
    }
  }
}
