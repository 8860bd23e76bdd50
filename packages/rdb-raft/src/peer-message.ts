import type { PeerId } from "@flaredb/rdb-base";
import type { Message } from "./messages.ts";

/** A message that says which peer it came from, or is about. */
export type PeerMessage = Message & { readonly from: PeerId };

export function saysSender(message: Message): message is PeerMessage {
  return message.from !== 0;
}
