import { type Clock, RdbError, type StoreId, type Timer } from "@flaredb/rdb-base";
import { create } from "@bufbuild/protobuf";
import {
  type PeerSurvey,
  type RegionHeartbeatResponse,
  RegionHeartbeatResponseSchema,
} from "@flaredb/rdb-proto";
import { pdLimits } from "../limits.ts";
import type { SurveyedPeer } from "./surveyed-peer.ts";
import { peerFromProto } from "./survey-codec.ts";

export interface SurveyDeskOptions {
  readonly clock: Clock;
  readonly send: (storeId: StoreId, command: RegionHeartbeatResponse) => boolean;
}

interface Survey {
  readonly id: bigint;
  readonly missing: Set<StoreId>;
  readonly peers: SurveyedPeer[];
  readonly settle: (error?: RdbError) => void;
}

/** Asks Stores for all of their peers, and gathers the answers. One survey at a time. */
export class SurveyDesk {
  readonly #options: SurveyDeskOptions;
  #lastId = 0n;
  #current: Survey | undefined;

  constructor(options: SurveyDeskOptions) {
    this.#options = options;
  }

  /**
   * Every peer of the Stores, each Store as it is when it is asked.
   *
   * @throws RdbError RDB_SERVER_IS_BUSY while another survey goes on; RDB_UNAVAILABLE that names the Stores which did not
   * answer within `surveyTimeoutMs`; RDB_CLOSED when PD stops, or leads no more
   */
  async take(storeIds: readonly StoreId[]): Promise<SurveyedPeer[]> {
    if (this.#current !== undefined) {
      throw new RdbError("RDB_SERVER_IS_BUSY", "another recovery is being planned at this moment: try again");
    }
    const { clock } = this.#options;
    const missing = new Set(storeIds);
    const peers: SurveyedPeer[] = [];
    this.#lastId += 1n;
    let timer: Timer | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const settle = (error?: RdbError): void => (error === undefined ? resolve() : reject(error));
        this.#current = { id: this.#lastId, missing, peers, settle };
        timer = clock.setTimer(pdLimits.surveyTimeoutMs, () => settle(silent(missing)));
        this.#ask(this.#current);
      });
    } finally {
      timer?.cancel();
      this.#current = undefined;
    }
    return peers;
  }

  /** @throws RdbError RDB_INVALID_ARGUMENT */
  heard(storeId: StoreId, page: PeerSurvey): void {
    const survey = this.#current;
    if (survey === undefined || page.surveyId !== survey.id || !survey.missing.has(storeId)) {
      // Of a survey that was given up.
      return;
    }
    survey.peers.push(...page.peers.map((peer) => peerFromProto(storeId, peer)));
    if (page.isLast) {
      survey.missing.delete(storeId);
    }
    if (survey.missing.size === 0) {
      survey.settle();
    }
  }

  close(): void {
    this.#current?.settle(new RdbError("RDB_CLOSED", "the placement driver stops, or leads no more"));
  }

  #ask({ id, missing, settle }: Survey): void {
    const command = create(RegionHeartbeatResponseSchema, {
      command: { case: "surveyPeers", value: { surveyId: id } },
    });
    const unheard = [...missing].filter((storeId) => !this.#options.send(storeId, command));
    if (unheard.length > 0) {
      settle(silent(new Set(unheard)));
    } else if (missing.size === 0) {
      settle();
    }
  }
}

function silent(storeIds: ReadonlySet<StoreId>): RdbError {
  const ids = [...storeIds];
  return new RdbError(
    "RDB_UNAVAILABLE",
    `store ${ids.join(", ")} did not say which peers it has: start it, or name it as lost too if it never comes back`,
    { details: { storeIds: ids } },
  );
}
