import { RdbError, type RegionId } from "@flaredb/rdb-base";
import type { Source, SourceDecision } from "../coordinator/coordinator.ts";
import type { SettingView } from "../placement/placement-settings.ts";
import { type AdminScene, type AdminSceneOptions, noIds, refused } from "./admin-scene.ts";

/** A checker or scheduler with its operators. */
export interface CountedSource extends Source {
  /** Of its operators: those that wait or run, and those that ended well since PD's start. */
  readonly runningCount: number;
  readonly doneCount: number;
}

/** What people may know of checkers and schedulers, and how they change what these do. */
export class SchedulerCommands {
  readonly #scene: AdminScene;
  readonly #options: AdminSceneOptions;

  constructor(scene: AdminScene, options: AdminSceneOptions) {
    this.#scene = scene;
    this.#options = options;
  }

  list(): CountedSource[] {
    const { coordination, operators, clock } = this.#options;
    return coordination.coordinator.sources(clock.wallMs()).map((source) => ({
      ...source,
      runningCount: operators.controller.countOf(source.name),
      doneCount: operators.controller.doneCountOf(source.name),
    }));
  }

  /**
   * @param durationMs 0: until it is resumed
   * @throws RdbError RDB_NOT_FOUND; RDB_INVALID_ARGUMENT for a checker without which the cluster is not safe
   */
  async pause(name: string, durationMs: number): Promise<CountedSource> {
    if (!this.#find(name).isOptional) {
      throw refused(`${name} cannot be paused: without it the cluster is not safe`);
    }
    const untilMs = durationMs === 0 ? 0 : this.#options.clock.wallMs() + durationMs;
    await this.#options.log.propose({ kind: "PauseScheduler", name, isPaused: true, untilMs });
    return this.#find(name);
  }

  /** @throws RdbError RDB_NOT_FOUND; RDB_INVALID_ARGUMENT when it is not paused */
  async resume(name: string): Promise<CountedSource> {
    if (!this.#find(name).isPaused) {
      throw refused(`${name} is not paused`);
    }
    await this.#options.log.propose({ kind: "PauseScheduler", name, isPaused: false, untilMs: 0 });
    return this.#find(name);
  }

  settings(): SettingView[] {
    return this.#options.settings.views();
  }

  /** @throws RdbError RDB_INVALID_ARGUMENT for the first that is wrong; then none is set */
  async configure(values: Readonly<Record<string, string>>): Promise<SettingView[]> {
    const settings = this.#options.settings.check(values);
    await this.#options.log.propose({ kind: "SetPlacement", settings });
    return this.#options.settings.views();
  }

  /**
   * What each checker and scheduler would do with the Region now, or why nothing.
   *
   * @throws RdbError RDB_NOT_FOUND; RDB_SERVER_IS_BUSY when no ids can be had
   */
  async explain(id: RegionId): Promise<SourceDecision[]> {
    const { coordination, operators } = this.#options;
    this.#scene.region(id);
    if (!(await this.#scene.hasIds())) {
      throw noIds();
    }
    const info = this.#scene.region(id);
    const decided = coordination.coordinator.explain(info, operators.now());
    const standing = this.#standing(id);
    return standing === undefined ? decided : [standing, ...decided];
  }

  /** What keeps all of them from acting. */
  #standing(id: RegionId): SourceDecision | undefined {
    const { coordination, operators } = this.#options;
    const operator = operators.controller.ofRegion(id);
    const missing = coordination.readiness.isReady(operators.now().monotonicMs)
      ? []
      : coordination.readiness.missing();
    const summary =
      operator === undefined
        ? `nothing is planned before all stores reported: ${missing.join(", ")} did not since the start`
        : `operator ${operator.id} (${operator.kind} by ${operator.origin}) has the region: nothing else is planned for it meanwhile`;
    return operator === undefined && missing.length === 0
      ? undefined
      : { source: "coordinator", isPaused: false, decision: { acts: false, summary, ruledOut: [] } };
  }

  #find(name: string): CountedSource {
    const source = this.list().find((each) => each.name === name);
    if (source === undefined) {
      const names = this.list().map((each) => each.name);
      throw new RdbError(
        "RDB_NOT_FOUND",
        `no checker or scheduler is named ${name}: they are ${names.join(", ")}`,
      );
    }
    return source;
  }
}
