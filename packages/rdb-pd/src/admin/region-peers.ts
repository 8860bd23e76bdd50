import { type Peer, RdbError, type RegionId } from "@flaredb/rdb-base";
import type { FollowerReport, StorePeerReport } from "@flaredb/rdb-proto";
import type { ClusterLookup } from "../cluster/cluster-lookup.ts";
import type { AskStorePeer } from "../traffic/ask-store.ts";

/** One peer of a Region, as its Store said it just now. */
export interface PeerAnswer {
  readonly peer: Peer;
  /** Undefined: see `failure`. */
  readonly report: StorePeerReport | undefined;
  /** Why its Store said nothing of it; empty: it did. */
  readonly failure: string;
  /** As the leader sees it; undefined for the leader itself, and where none answered. */
  readonly seen: FollowerReport | undefined;
  /** Entries of the leader's log that it is not known to have; undefined as `seen`. */
  readonly lagCount: number | undefined;
}

/**
 * Asks the Stores of a Region's peers how far each is. Heartbeats do not tell it: it changes with each write, and only
 * who looks at the Region wants it.
 *
 * @throws RdbError as `ClusterLookup.regionById`
 */
export async function askRegionPeers(
  lookup: ClusterLookup,
  ask: AskStorePeer,
  id: RegionId,
): Promise<PeerAnswer[]> {
  const { region } = lookup.regionById(id);
  const addresses = new Map(lookup.storesOf(region).map(({ store }) => [store.id, store.httpAddress]));
  const answers = await Promise.all(
    region.peers.map(async (peer) => ({
      peer,
      ...(await answerOf(addresses.get(peer.storeId), peer, (address) => ask(address, id))),
    })),
  );
  // Of two that believe to lead, the one of the later term does.
  const leader = answers
    .flatMap(({ report }) => (report?.isLeader === true ? [report] : []))
    .toSorted((a, b) => b.term - a.term)[0];
  return answers.map((answer) => {
    const seen = leader?.followers.find(({ peerId }) => peerId === answer.peer.id);
    const lagCount =
      leader === undefined || seen === undefined
        ? undefined
        : Math.max(0, leader.lastIndex - seen.matchIndex);
    return { ...answer, seen, lagCount };
  });
}

async function answerOf(
  httpAddress: string | undefined,
  peer: Peer,
  ask: (httpAddress: string) => Promise<StorePeerReport | undefined>,
): Promise<Pick<PeerAnswer, "report" | "failure">> {
  const none = (failure: string) => ({ report: undefined, failure });
  if (httpAddress === undefined || httpAddress === "") {
    return none(`Store ${peer.storeId} has not said where its HTTP endpoint is`);
  }
  try {
    const report = await ask(httpAddress);
    return report === undefined || report.peerId !== peer.id
      ? none(`Store ${peer.storeId} does not have the peer`)
      : { report, failure: "" };
  } catch (error) {
    return none(RdbError.from(error).message);
  }
}
