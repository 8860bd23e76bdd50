import {
  type Clock,
  type Logger,
  type Random,
  RdbError,
  type StoreId,
  type Timer,
  assert,
  peerId,
} from "@flaredb/rdb-base";
import type { RegionHeartbeatResponse } from "@flaredb/rdb-proto";
import type { ClusterState } from "../cluster/cluster-state.ts";
import type { CommandLog } from "../member/command-log.ts";
import type { RegionInfo } from "../cluster/region-info.ts";
import type { PdMetrics } from "../metrics/pd-metrics.ts";
import type { OperatorRecord } from "../operator/operator-record.ts";
import type { OperatorRunner } from "../operator/operator-runner.ts";
import { ClusterPlacementView } from "../placement/cluster-placement-view.ts";
import type { PlacementSettings } from "../placement/placement-settings.ts";
import { checkers, schedulers } from "../placement/rules.ts";
import { scatterPlan } from "../placement/scheduler/scatter.ts";
import { Coordinator } from "./coordinator.ts";
import { Planner } from "./planner.ts";
import { Readiness } from "./readiness.ts";
import { ReplicaCheckRound } from "./replica-check-round.ts";
import { StoreBurial } from "./store-burial.ts";

export interface CoordinatorRunnerOptions {
  readonly cluster: ClusterState;
  readonly log: CommandLog;
  readonly operators: OperatorRunner;
  readonly settings: PlacementSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Whether the Store's stream took the command. */
  readonly send: (storeId: StoreId, command: RegionHeartbeatResponse) => boolean;
  readonly metrics: Pick<PdMetrics, "decisions">;
  /** A Store is gone for good. */
  readonly storeBuried: (id: StoreId) => void;
}

/** The coordinator in a running PD: with its ticks, and what else goes on slowly in the background. */
export class CoordinatorRunner {
  readonly coordinator: Coordinator;
  readonly view: ClusterPlacementView;
  readonly readiness: Readiness;
  readonly #options: CoordinatorRunnerOptions;
  readonly #burial: StoreBurial;
  readonly #replicaChecks: ReplicaCheckRound;
  #timer: Timer | undefined;

  constructor(options: CoordinatorRunnerOptions) {
    this.#options = options;
    const { cluster, operators, settings, clock, random } = options;
    const { controller, ids } = operators;
    const config = () => settings.current;
    const startedMs = clock.monotonicMs();
    this.readiness = new Readiness(cluster, startedMs);
    this.view = new ClusterPlacementView(
      {
        cluster,
        config,
        influence: (id) => controller.influence(id),
        hasOperator: (id) => controller.hasOperator(id),
        newPeerId: () => {
          const id = ids.draw();
          assert(id !== undefined, "a decision draws fewer ids than are at hand before it");
          return peerId(id);
        },
        random: (bound) => random.nextInt(bound),
      },
      startedMs,
    );
    this.coordinator = new Coordinator({
      cluster,
      view: this.view,
      checkers: checkers(),
      schedulers: schedulers(),
      planner: new Planner({ controller, ids, config }),
      readiness: this.readiness,
      idCount: () => ids.count,
      decided: (source, outcome) => {
        options.metrics.decisions.of(source, outcome.replace("-", "_")).value++;
      },
    });
    this.#burial = new StoreBurial({ ...options, influence: (id) => controller.influence(id) });
    this.#replicaChecks = new ReplicaCheckRound({ cluster, config, send: options.send }, startedMs);
  }

  start(): void {
    this.#scheduleTick();
  }

  close(): void {
    this.#timer?.cancel();
  }

  /** Places the Region anew; undefined when it lies well, or cannot be changed now. */
  scatter(info: RegionInfo): OperatorRecord | undefined {
    const { operators } = this.#options;
    const now = operators.now();
    const decision = scatterPlan(info, this.view.refresh(now.monotonicMs));
    if (!decision.acts) {
      operators.ids.returnDrawn();
      return undefined;
    }
    operators.ids.keepDrawn();
    const result = operators.controller.add(decision.plan, now);
    return result.ok ? result.operator : undefined;
  }

  #scheduleTick(): void {
    const { clock, settings, cluster, operators, logger } = this.#options;
    this.#timer = clock.setTimer(settings.current.patrolIntervalMs, () => {
      this.#scheduleTick();
      if (!cluster.durable.cluster.bootstrapped) {
        return;
      }
      void operators.ids.fill();
      const now = operators.now();
      this.coordinator.tick(now);
      this.#replicaChecks.tick(now.monotonicMs);
      this.#burial.tick(now.monotonicMs).catch((error: unknown) => {
        logger.warn({ reason: RdbError.from(error).message }, "a drained store was not buried");
      });
    });
  }
}
