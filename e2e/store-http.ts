import type { TestStore } from "./cluster.ts";

const TIMEOUT_MS = 2_000;

/** What a Store says of one of its peers. */
export interface PeerView {
  readonly regionId: number;
  readonly peerId: number;
  readonly isLeader: boolean;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  /** The first entry that its log still has. */
  readonly firstIndex: number;
}

/** The peers on a Store as it sees them itself, ordered by Region. */
export async function regionsOn(store: TestStore): Promise<PeerView[]> {
  const response = await fetch(`${store.httpUrl}/api/v1/regions`, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) {
    throw new Error(`${store.httpUrl} answers ${response.status}`);
  }
  const { regions } = (await response.json()) as { regions: PeerView[] };
  return regions.toSorted((a, b) => a.regionId - b.regionId);
}
