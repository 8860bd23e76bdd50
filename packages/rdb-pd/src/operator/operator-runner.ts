import { type Clock, type Logger, RdbError, type StoreId, type Timer } from "@flaredb/rdb-base";
import type { RegionHeartbeatResponse } from "@flaredb/rdb-proto";
import type { ClusterState, Moment } from "../cluster/cluster-state.ts";
import { IdReserve } from "../id/id-reserve.ts";
import { pdLimits } from "../limits.ts";
import type { CommandLog } from "../member/command-log.ts";
import type { PlacementConfig } from "../placement/placement-config.ts";
import { OperatorController } from "./operator-controller.ts";
import { type OperatorRecord, isEnded } from "./operator-record.ts";

export interface OperatorRunnerOptions {
  readonly cluster: ClusterState;
  readonly log: CommandLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: () => PlacementConfig;
  /** The first of so many consecutive ids. */
  readonly allocateIds: (count: number) => Promise<number>;
  /** Whether the Store's stream took the command. */
  readonly send: (storeId: StoreId, command: RegionHeartbeatResponse) => boolean;
  /** An operator began or ended. */
  readonly changed: (record: OperatorRecord) => void;
}

/** The operator controller in a running PD: with its ticks, its ids, and a line in PD's log for each begin and end. */
export class OperatorRunner {
  readonly controller: OperatorController;
  /** For operators, and the peers that they add. */
  readonly ids: IdReserve;
  readonly #options: OperatorRunnerOptions;
  /** By id: what PD's log does not hold yet. */
  readonly #unrecorded = new Map<number, OperatorRecord>();
  #isRecording = false;
  #timer: Timer | undefined;

  constructor(options: OperatorRunnerOptions) {
    this.#options = options;
    const { cluster, logger } = options;
    this.ids = new IdReserve(options.allocateIds, (error) =>
      logger.warn({ reason: String(error) }, "no ids for operators were fetched"),
    );
    const ended = [...cluster.durable.operators.values()].filter(isEnded);
    this.controller = new OperatorController(
      {
        region: (id) => cluster.region(id),
        condition: (id) => this.#condition(id),
        config: options.config,
        takeId: () => this.ids.take(),
        send: options.send,
        recorded: (record) => this.#recorded(record),
      },
      ended,
    );
  }

  now(): Moment {
    return { monotonicMs: this.#options.clock.monotonicMs(), wallMs: this.#options.clock.wallMs() };
  }

  /** What the process before this one left undone has ended with it; the checkers see to what it left half done. */
  async start(): Promise<void> {
    const { cluster, log } = this.#options;
    const begun = [...cluster.durable.operators.values()].filter((record) => !isEnded(record));
    if (begun.length > 0) {
      const operators = begun.map(
        (record): OperatorRecord => ({
          ...record,
          state: "Cancelled",
          endedMs: this.now().wallMs,
          endReason: "pd-restarted",
          endMessage: "the placement driver was restarted, or another member of it leads now",
        }),
      );
      await log.propose({ kind: "RecordOperators", operators });
      operators.forEach((record) => this.controller.history.add(record));
    }
    // The first ids are those of the initial Regions.
    if (cluster.durable.cluster.bootstrapped) {
      await this.ids.fill();
    }
    this.#scheduleTick();
  }

  close(): void {
    this.#timer?.cancel();
  }

  #scheduleTick(): void {
    this.#timer = this.#options.clock.setTimer(pdLimits.operatorTickMs, () => {
      this.controller.tick(this.now());
      this.#scheduleTick();
    });
  }

  #condition(id: StoreId): ReturnType<ClusterState["condition"]> | undefined {
    const { cluster, clock } = this.#options;
    const store = cluster.durable.stores.get(id);
    return store === undefined ? undefined : cluster.condition(store, clock.monotonicMs());
  }

  #recorded(record: OperatorRecord): void {
    const { id, kind, origin, regionId, state, endReason, endMessage, motive } = record;
    const ended = isEnded(record) ? { state, reason: endReason, message: endMessage } : { motive };
    const line = isEnded(record) ? "operator ended" : "operator begins";
    this.#options.logger.info({ operator: id, kind, origin, region: regionId, ...ended }, line);
    this.#options.changed(record);
    this.#unrecorded.set(id, record);
    void this.#writeRecords();
  }

  /** One command at a time, with all that gathered meanwhile. Never rejects. */
  async #writeRecords(): Promise<void> {
    if (this.#isRecording) {
      return;
    }
    this.#isRecording = true;
    try {
      // Those of this turn go together.
      await Promise.resolve();
      while (this.#unrecorded.size > 0) {
        const operators = [...this.#unrecorded.values()].slice(0, pdLimits.recordMaxCount);
        operators.forEach(({ id }) => this.#unrecorded.delete(id));
        await this.#options.log.propose({ kind: "RecordOperators", operators });
      }
    } catch (error) {
      // Only the history has a gap; what the Regions are is not told from here.
      this.#options.logger.warn({ reason: RdbError.from(error).message }, "operators were not recorded");
    } finally {
      this.#isRecording = false;
    }
  }
}
