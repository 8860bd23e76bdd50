import { create } from "@bufbuild/protobuf";
import {
  type Clock,
  type Logger,
  RdbError,
  type StoreId,
  assert,
  safeInteger,
  storeId,
} from "@flaredb/rdb-base";
import {
  type PeerSurvey,
  type Recovery,
  type RecoveryPlan as WirePlan,
  type RecoveryResult,
  RecoverySchema,
  RecoveryState,
  RecoveryStepState,
  type RegionHeartbeatResponse,
  RegionHeartbeatResponseSchema,
  regionToProto,
} from "@flaredb/rdb-proto";
import type { ClusterState } from "../cluster/cluster-state.ts";
import { pdLimits } from "../limits.ts";
import type { CommandLog } from "../member/command-log.ts";
import { placeEmptyRegions } from "./empty-regions.ts";
import { type RecoveryPlan, type RecoveryStep, firstSteps, planRecovery } from "./plan-recovery.ts";
import {
  type RecoveryWish,
  emptyRegion,
  fingerprintOf,
  pieceIdCount,
  planToProto,
  stepToProto,
} from "./recovery-codec.ts";
import { SurveyDesk } from "./survey-desk.ts";
import { type SurveyedPeer, unchangedRegions } from "./surveyed-peer.ts";

export interface RecoveryDeskOptions {
  readonly cluster: ClusterState;
  readonly log: CommandLog;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The first of so many ids in a row. */
  readonly allocateIds: (count: number) => Promise<number>;
  /** Whether the Store's stream took the command. */
  readonly send: (storeId: StoreId, command: RegionHeartbeatResponse) => boolean;
}

/** A plan, with what it was made from. */
interface Planned {
  readonly plan: RecoveryPlan;
  readonly peers: readonly SurveyedPeer[];
}

/**
 * Brings Regions back whose voters' majority is lost for good (ADR 20). A plan is made from what all Stores that are not
 * lost say, and changes nothing. To begin one makes it anew, compares, and puts it on record with the Stores that are
 * given up, in one command; from then on whoever leads PD orders the Stores until each has said how its orders ended.
 */
export class RecoveryDesk {
  readonly #options: RecoveryDeskOptions;
  readonly #surveys: SurveyDesk;
  /** When the Stores are ordered again. */
  #nextMonotonicMs = 0;

  constructor(options: RecoveryDeskOptions) {
    this.#options = options;
    this.#surveys = new SurveyDesk(options);
  }

  /**
   * What can be saved without these Stores. Changes nothing.
   *
   * @throws RdbError see {@link RecoveryDesk.begin}
   */
  async plan(wish: RecoveryWish): Promise<WirePlan> {
    const { plan } = await this.#make(wish);
    return planToProto(plan, wish);
  }

  /**
   * Gives the Stores up and begins to carry the plan out, if it is still the one with the fingerprint.
   *
   * @throws RdbError RDB_INVALID_ARGUMENT when one of the Stores answers, no other is left, or nothing is to be done;
   * RDB_NOT_FOUND when one never was; RDB_UNAVAILABLE when a Store that is not named does not answer;
   * RDB_EPOCH_NOT_MATCH when the plan would be another one by now; RDB_ALREADY_EXISTS while a recovery goes on;
   * RDB_SERVER_IS_BUSY while another is planned
   */
  async begin(wish: RecoveryWish, fingerprint: string): Promise<Recovery> {
    const { log, clock, logger, cluster } = this.#options;
    const { plan, peers } = await this.#make(wish);
    if (fingerprintOf(plan, wish) !== fingerprint) {
      throw new RdbError("RDB_EPOCH_NOT_MATCH", "the plan would be another one by now: look at it again");
    }
    const empty = wish.createEmpty
      ? placeEmptyRegions(
          // One recovery makes no more Regions than it may bring back; the next one goes on.
          plan.lostRanges.slice(0, pdLimits.recoveryMaxCount - plan.steps.length).map(({ range }) => range),
          this.#livingStores(wish),
          peers,
        )
      : [];
    if (plan.steps.length === 0 && empty.length === 0) {
      throw new RdbError(
        "RDB_INVALID_ARGUMENT",
        "nothing can be recovered: no region has lost its quorum and left a peer",
      );
    }
    const ids = (await this.#newIds(1 + pieceIdCount(plan) + 2 * empty.length)).values();
    const newId = (): number => {
      const id = ids.next().value;
      assert(id !== undefined, "as many ids are taken as were counted");
      return id;
    };
    const recoveryId = newId();
    const knownTerm = ({ survivor }: RecoveryStep): number =>
      cluster.region(survivor.region.id)?.status?.term ?? 0;
    const recovery = create(RecoverySchema, {
      id: BigInt(recoveryId),
      state: RecoveryState.RUNNING,
      lostStoreIds: wish.lostStoreIds.map(BigInt),
      steps: plan.steps.map((step) => stepToProto(step, { recoveryId, newId, knownTerm })),
      lostRanges: plan.lostRanges.map(({ range, reason }) => ({ ...range, reason })),
      emptyRegions: empty.map((place) => regionToProto(emptyRegion(place, plan.topVersion, newId))),
      startedMs: BigInt(clock.wallMs()),
    });
    await log.propose({ kind: "BeginRecovery", recovery });
    logger.warn(
      {
        recovery: recoveryId,
        lostStores: wish.lostStoreIds,
        regions: plan.steps.length,
        empty: empty.length,
      },
      "stores are given up, and regions are recovered without them",
    );
    this.#order();
    return this.#get(recoveryId);
  }

  /** The latest first. */
  list(): Recovery[] {
    return [...this.#options.cluster.durable.recoveries.values()].toSorted((a, b) => Number(b.id - a.id));
  }

  /**
   * What was not carried out yet never is. What was stays, and so do the Stores that were given up.
   *
   * @throws RdbError RDB_NOT_FOUND; RDB_INVALID_ARGUMENT when it has ended
   */
  async cancel(id: number): Promise<Recovery> {
    if (this.#get(id).state !== RecoveryState.RUNNING) {
      throw new RdbError("RDB_INVALID_ARGUMENT", `recovery ${id} has ended`);
    }
    await this.#record(id, [], true);
    return this.#get(id);
  }

  /** @throws RdbError RDB_INVALID_ARGUMENT for a survey that cannot be read */
  surveyed(from: StoreId, page: PeerSurvey): void {
    this.#surveys.heard(from, page);
  }

  /** Stores say how their orders ended. */
  async settle(from: StoreId, results: readonly RecoveryResult[]): Promise<void> {
    const running = this.#running();
    const own = results.filter(({ recoveryId, regionId, isPassing }) => {
      const step = running?.steps.find(({ order }) => order?.regionId === regionId);
      return (
        !isPassing &&
        recoveryId === running?.id &&
        step?.storeId === BigInt(from) &&
        step.state === RecoveryStepState.PENDING
      );
    });
    if (running !== undefined && own.length > 0) {
      await this.#record(safeInteger(running.id, "recovery id"), own.map(bounded), false);
    }
  }

  tick(monotonicMs: number): void {
    if (monotonicMs >= this.#nextMonotonicMs) {
      this.#order();
    }
  }

  close(): void {
    this.#surveys.close();
  }

  /** A recovery may need more than are given out at once. */
  async #newIds(count: number): Promise<number[]> {
    const ids: number[] = [];
    while (ids.length < count) {
      const wanted = Math.min(count - ids.length, pdLimits.allocateMaxCount);
      const first = await this.#options.allocateIds(wanted);
      ids.push(...Array.from({ length: wanted }, (_, at) => first + at));
    }
    return ids;
  }

  async #make(wish: RecoveryWish): Promise<Planned> {
    const { cluster } = this.#options;
    this.#check(wish);
    const first = await this.#surveys.take(this.#livingStores(wish));
    // Stores answer one after the other, and a Region may move meanwhile: what is led and seems to have no quorum counts
    // only if it is the same a second time. Where all else was lost a leader may be asleep and not know.
    const peers = await this.#surveys.take(this.#livingStores(wish));
    const resting = unchangedRegions(first, peers);
    const knownRegions = cluster.durable.regions.all();
    const living = new Set(this.#livingStores(wish));
    const isLed = (id: (typeof knownRegions)[number]["id"]): boolean => {
      const leader = cluster.region(id)?.status?.leader;
      return leader !== undefined && living.has(leader.storeId);
    };
    const ledRegionIds = new Set(
      knownRegions.map(({ id }) => id).filter((id) => isLed(id) && !resting.has(id)),
    );
    const plan = planRecovery({ peers, knownRegions, ledRegionIds });
    return { plan: firstSteps(plan, pdLimits.recoveryMaxCount), peers };
  }

  #check({ lostStoreIds }: RecoveryWish): void {
    const { cluster, clock } = this.#options;
    const monotonicMs = clock.monotonicMs();
    for (const id of lostStoreIds) {
      const store = cluster.durable.stores.get(id);
      if (store === undefined) {
        throw new RdbError("RDB_NOT_FOUND", `store ${id} is not known`, { details: { storeId: id } });
      }
      if (!store.isTombstone && store.isLost !== true && !cluster.liveness.isSilent(id, monotonicMs)) {
        throw new RdbError(
          "RDB_INVALID_ARGUMENT",
          `store ${id} is not lost: it was heard of less than ${pdLimits.storeDisconnectedAfterMs / 1_000} s ago, or the placement driver has not listened for as long; stop it first if its data is lost`,
          { details: { storeId: id } },
        );
      }
    }
    const living = this.#livingStores({ lostStoreIds });
    if (living.length === 0) {
      throw new RdbError(
        "RDB_INVALID_ARGUMENT",
        "no store would be left: start a new one first, with an empty data folder",
      );
    }
    const silent = living.filter((id) => cluster.liveness.state(id, monotonicMs) !== "Up");
    if (silent.length > 0) {
      throw new RdbError(
        "RDB_UNAVAILABLE",
        `store ${silent.join(", ")} does not answer and is not named: start it, or name it as lost too if it never comes back`,
        { details: { storeIds: silent } },
      );
    }
  }

  /** Everybody who is not given up. */
  #livingStores({ lostStoreIds }: Pick<RecoveryWish, "lostStoreIds">): StoreId[] {
    return [...this.#options.cluster.durable.stores.values()]
      .filter(({ id, isTombstone, isLost }) => !isTombstone && isLost !== true && !lostStoreIds.includes(id))
      .map(({ id }) => id);
  }

  #running(): Recovery | undefined {
    return this.list().find(({ state }) => state === RecoveryState.RUNNING);
  }

  /** Orders what is not carried out yet; Stores take the same order twice. */
  #order(): void {
    const { clock, send } = this.#options;
    this.#nextMonotonicMs = clock.monotonicMs() + pdLimits.recoveryRepeatAfterMs;
    const pending = this.#running()?.steps.filter(({ state }) => state === RecoveryStepState.PENDING) ?? [];
    for (const [store, steps] of Map.groupBy(pending, (step) => step.storeId)) {
      const orders = steps.slice(0, pdLimits.recoveryOrderMaxCount).flatMap(({ order }) => order ?? []);
      const command = create(RegionHeartbeatResponseSchema, {
        command: { case: "recoverRegions", value: { regions: orders } },
      });
      // One that has no stream gets its orders with a later tick.
      send(storeId(store), command);
    }
  }

  async #record(recoveryId: number, results: readonly RecoveryResult[], isCancelled: boolean): Promise<void> {
    const { log, clock, logger } = this.#options;
    await log.propose({ kind: "RecordRecovery", recoveryId, results, isCancelled, nowMs: clock.wallMs() });
    const { state } = this.#get(recoveryId);
    for (const { regionId, ok, message } of results) {
      logger.info({ recovery: recoveryId, region: regionId, ok, message }, "a region's recovery ended");
    }
    if (state === RecoveryState.RUNNING) {
      this.#order();
    } else {
      logger.warn({ recovery: recoveryId, isCancelled }, "the recovery ended");
    }
  }

  #get(id: number): Recovery {
    const recovery = this.#options.cluster.durable.recoveries.get(id);
    if (recovery === undefined) {
      throw new RdbError("RDB_NOT_FOUND", `recovery ${id} is not on record`, { details: { recoveryId: id } });
    }
    return recovery;
  }
}

function bounded(result: RecoveryResult): RecoveryResult {
  return { ...result, message: result.message.slice(0, pdLimits.messageMaxLength) };
}
