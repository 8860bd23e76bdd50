import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Region } from "@flaredb/rdb-base";
import { type PeerSurveySchema, regionFromProto, regionToProto } from "@flaredb/rdb-proto";
import type { FakeStore } from "./fake-store.ts";
import { bootstrapped } from "./pd-cluster.ts";
import { TestPd } from "./test-pd.ts";

/** Longer than a Store may be silent before it counts as gone. */
const SILENT_MS = 8_000;

type SurveyedPeers = NonNullable<MessageInitShape<typeof PeerSurveySchema>["peers"]>;

/** A cluster of three Stores and two Regions of which Stores 1 and 2 are gone; Store 3 answers whatever it is asked. */
export class LostQuorum {
  readonly pd: TestPd;
  readonly survivor: FakeStore;
  readonly lost: readonly FakeStore[];
  readonly lostStoreIds = [1, 2];
  /** As the survivor has them. */
  readonly regions: readonly Region[];
  #isOver = false;
  #others: SurveyedPeers | undefined;

  static async start(): Promise<LostQuorum> {
    const pd = await TestPd.start({ initialSplitKeys: ["m"] });
    const { stores, regions } = await bootstrapped(pd);
    const [first, second, survivor] = stores;
    await first.closeStream();
    await second.closeStream();
    pd.clock.advance(SILENT_MS);
    survivor.keepalive(regions.map((region) => survivor.followerReport(region)));
    return new LostQuorum(pd, survivor, [first, second], regions.map(regionFromProto));
  }

  private constructor(
    pd: TestPd,
    survivor: FakeStore,
    lost: readonly FakeStore[],
    regions: readonly Region[],
  ) {
    this.pd = pd;
    this.survivor = survivor;
    this.lost = lost;
    this.regions = regions;
    void this.#answerSurveys();
  }

  /** Instead of its peers of the two Regions. */
  answerSurveysWith(peers: SurveyedPeers): void {
    this.#others = peers;
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await this.survivor.closeStream();
    await this.pd.close();
  }

  async #answerSurveys(): Promise<void> {
    for (;;) {
      const { value } = await this.survivor.next("surveyPeers");
      if (this.#isOver) {
        return;
      }
      this.survivor.answer({
        survey: { surveyId: value.surveyId, isLast: true, peers: this.#others ?? this.#peers() },
      });
    }
  }

  #peers() {
    return this.regions.map((region) => {
      const peer = region.peers.find(({ storeId }) => BigInt(storeId) === this.survivor.storeId);
      return {
        ...{ region: regionToProto(region), peerId: BigInt(peer?.id ?? 0) },
        ...{ term: 6n, lastTerm: 6n, lastIndex: 9n, commitIndex: 8n, appliedIndex: 8n },
      };
    });
  }
}
