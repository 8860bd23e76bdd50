import type { PeerProgress } from "@flaredb/rdb-proto";
import type { Command } from "commander";
import type { Globals } from "../../globals.ts";
import { parseId } from "../../input/numbers.ts";
import { screenOf } from "../../io.ts";
import { type Call, type Shell, defineLook } from "../../shell.ts";

/** `rdb region peers ID` */
export function defineRegionPeers(parent: Command, shell: Shell): void {
  const command = parent
    .command("peers <id>")
    .description("show how far each peer of a Region is: terms, indexes, lag; asks their Stores");
  defineLook(command, shell, showPeers);
}

async function showPeers(call: Call<unknown>, idText: string): Promise<undefined> {
  const peers = await fetchPeers(call.globals, parseId("id", idText));
  const { renderPeers, peerProgressDocument } = await import("../../output/region-peers.ts");
  await call.print(peers.map(peerProgressDocument), () => renderPeers(peers, screenOf(call.io)));
}

/** @throws RdbError RDB_NOT_FOUND when PD knows no such Region */
export async function fetchPeers(globals: Globals, regionId: bigint): Promise<readonly PeerProgress[]> {
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { peers } = await callPdAdmin(globals, (pd, options) => pd.getRegionPeers({ regionId }, options));
  return peers;
}
