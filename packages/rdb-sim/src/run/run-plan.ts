import { RdbError, SECOND_MS } from "@flaredb/rdb-base";
import { checkKeys } from "../check/check-keys.ts";
import { ClusterInvariants } from "../check/cluster-invariants.ts";
import type { History } from "../check/history.ts";
import { operatorCountProblem } from "../check/operator-count.ts";
import { checkRevisions } from "../check/revisions.ts";
import { SleepWatch } from "../check/sleep-watch.ts";
import { type Violation, ViolationError } from "../check/violation.ts";
import { drivenBy } from "../cluster/pd-program.ts";
import { type ClusterWatcher, SimCluster } from "../cluster/sim-cluster.ts";
import { Injector } from "../faults/injector.ts";
import { type Plan, streamOf } from "../faults/plan.ts";
import { comparePeers, describeUnlevel, isLevel, standing } from "./convergence.ts";
import { describeMessage, shortPath } from "./describe-message.ts";
import { type Line, LogBook, formatLine } from "./log-book.ts";
import { SeedWorkloads, splitKeysOf } from "./seed-workloads.ts";
import { Trace } from "./trace.ts";
import { UsedIdentities } from "./used-identities.ts";
import type { Verdict } from "./verdict.ts";

export interface RunOptions {
  /** Gets a line for each message, write, fault, call and line of a log. */
  readonly show?: (line: string) => void;
  /** Gets what the clients did, at the end, whatever that is. */
  readonly onHistory?: (history: History) => void;
}

/** After repairs every process serves within this. */
const RECOVERY_MAX_MS = 20 * SECOND_MS;
/** And then PD has heard from everybody, and raised the cluster version, within this: two periods of heartbeats. */
const UPGRADE_MAX_MS = 60 * SECOND_MS;
/** Between two attempts to write and read a Region. */
const PROBE_PAUSE_MS = 50;
/** And then a write and a read of every Region succeed within this. */
const LIVENESS_MAX_MS = 10 * SECOND_MS;
/** And then all peers are level within this. */
const CONVERGENCE_MAX_MS = 20 * SECOND_MS;
/** The same where Regions are made whole again first; an operator that cannot go on is in the way for two minutes. */
const REPAIR_MAX_MS = 300 * SECOND_MS;
/** Between two looks at who sleeps, and at what PD counts. */
const LOOK_MS = 100;
/** Peers are compared while nothing moves: so often it is tried. */
const COMPARE_MAX_COUNT = 20;
/** Calls of virtual time that a run may take: past it, something goes in circles. */
const EVENTS_MAX_COUNT = 20_000_000;

/** Runs a plan from an empty cluster to its verdict. The same plan, the same verdict. Never rejects. */
export async function runPlan(plan: Plan, options: RunOptions = {}): Promise<Verdict> {
  const run = new Run(plan, options);
  const onRejection = (error: unknown): void => run.fail(violationOf(error, "a promise that nobody handles"));
  process.on("unhandledRejection", onRejection);
  try {
    await run.play();
  } catch (error) {
    run.fail(violationOf(error, "an error that nobody handles"));
  } finally {
    process.off("unhandledRejection", onRejection);
  }
  options.onHistory?.(run.history);
  return run.verdict;
}

class Run {
  readonly #plan: Plan;
  readonly #cluster: SimCluster;
  readonly #injector: Injector;
  readonly #trace: Trace;
  readonly #logs: LogBook;
  readonly #workloads: SeedWorkloads;
  readonly #invariants = new ClusterInvariants((violation) => this.fail(violation));
  readonly #used = new UsedIdentities();
  readonly #sleepers = new SleepWatch();
  readonly #counts = { ok: 0, fail: 0, unknown: 0 };
  /** Who led, by Region and term. */
  readonly #leaders = new Map<string, string>();
  #snapshotCount = 0;
  #violation: Violation | undefined;

  constructor(plan: Plan, { show }: RunOptions) {
    this.#plan = plan;
    const nowMs = (): number => this.#cluster.clock.monotonicMs();
    this.#trace = new Trace(nowMs, show);
    this.#logs = new LogBook(nowMs, (line) => {
      if (line.message === "role or leader changed" && line.fields["role"] === "Leader") {
        this.#leads(line);
      } else if (line.message === "the snapshot is applied") {
        this.#snapshotCount++;
      } else if (line.level === "error") {
        this.fail({ name: "no process logs an error", message: formatLine(line) });
      }
      if (this.#trace.isShown) {
        this.#trace.remark(formatLine(line));
      }
    });
    this.#workloads = new SeedWorkloads(plan, (call) => {
      this.#counts[call.outcome]++;
      this.#trace.event("call", call.client, call.op, call.outcome, call.startNs, call.endNs);
    });
    this.#cluster = new SimCluster({
      shape: plan.shape,
      splitKeys: splitKeysOf(plan.shape),
      invariants: this.#invariants,
      recorderOf: (client) => ({
        onAnswer: (answer) => {
          this.#used.answered(client, answer);
          this.#workloads.recorderOf(client).onAnswer(answer);
        },
      }),
      randomOf: (purpose) => streamOf(plan.seed, purpose),
      loggerOf: (name) => this.#logs.loggerOf(name),
      watcher: this.#watcher(),
    });
    if (!plan.faults.some(({ kind }) => kind === "remove-peer")) {
      this.#invariants.voterMinCount = plan.shape.replicaCount;
    }
    this.#watchNetwork();
    this.#injector = new Injector(this.#cluster);
  }

  get verdict(): Verdict {
    const { ok, fail, unknown } = this.#counts;
    return {
      seed: this.#plan.seed,
      violation: this.#violation,
      traceHash: this.#trace.hash,
      stats: {
        simulatedMs: this.#cluster.clock.monotonicMs(),
        eventCount: this.#trace.eventCount,
        faultCounts: this.#injector.counts,
        okCallCount: ok,
        failedCallCount: fail,
        unknownCallCount: unknown,
        electionCount: this.#leaders.size,
        snapshotCount: this.#snapshotCount,
      },
    };
  }

  /** The first violation is what counts: the run ends with it. */
  fail(violation: Violation): void {
    if (this.#violation === undefined) {
      this.#violation = violation;
      this.#trace.remark(`VIOLATED ${violation.name}: ${violation.message}`);
    }
  }

  get history(): History {
    return this.#workloads.history;
  }

  async play(): Promise<void> {
    const { faults, faultsEndMs } = this.#plan;
    this.#cluster.start();
    this.#injector.schedule(faults);
    this.#workloads.start(this.#cluster);
    this.#watchStates();
    await this.#pass(faultsEndMs);
    this.#injector.repair();
    this.#cluster.judge.process.start();
    this.#cluster.upgradeAll();
    await this.#until("every process serves again", () => this.#cluster.isWell, RECOVERY_MAX_MS);
    await this.#checkLiveness();
    if (this.#plan.shape.olderPrograms === true) {
      await this.#until("the cluster version is raised", () => this.#cluster.isUpgraded, UPGRADE_MAX_MS);
    }
    await this.#complete("the calls under way end", this.#workloads.stop());
    const judge = this.#workloads.clientOn("judge", this.#cluster.judge.process);
    await this.#complete("what was written can be read", this.#workloads.finish(judge));
    await this.#compareWhenLevel();
    this.#judgeHistory();
  }

  #watchStates(): void {
    this.#cluster.setTimer(LOOK_MS, () => {
      const peers = this.#cluster.stores.flatMap(({ process: { running } }) =>
        running === undefined ? [] : running.store.regionStatuses(),
      );
      const violation = this.#sleepers.look(peers) ?? this.#lookAtOperators();
      if (violation !== undefined) {
        this.fail(violation);
      }
      this.#watchStates();
    });
  }

  #lookAtOperators(): Violation | undefined {
    const driver = drivenBy(this.#cluster.pd.process.running);
    if (driver === undefined) {
      return undefined;
    }
    const { controller } = driver.operators;
    const storeIds = [...driver.cluster.durable.stores.keys()];
    const counted = storeIds.map((storeId) => ({ storeId, ...controller.influence(storeId) }));
    return operatorCountProblem(controller.activeCount, counted);
  }

  /** Regions that PD moves to even Stores out may do so now: then they are compared once more. */
  async #compareWhenLevel(): Promise<void> {
    const { elastic, replicaCount } = this.#plan.shape;
    const voterCount = elastic === undefined ? undefined : replicaCount;
    const patienceMs =
      elastic === undefined ? CONVERGENCE_MAX_MS : REPAIR_MAX_MS + elastic.maxStoreDownTimeMs;
    for (let count = 1; ; count++) {
      await this.#until(
        "all peers are level",
        () => isLevel(this.#cluster.stores, voterCount),
        patienceMs,
        () => `\n${describeUnlevel(this.#cluster.stores, voterCount)}`,
      );
      const before = standing(this.#cluster.stores);
      let violations: readonly Violation[] = [];
      const compare = async (): Promise<void> => {
        violations = await comparePeers(this.#cluster.stores);
      };
      await this.#complete("peers can be compared", compare());
      if (standing(this.#cluster.stores) === before || count === COMPARE_MAX_COUNT) {
        violations.forEach((violation) => this.fail(violation));
        return;
      }
    }
  }

  /** In every Region a write and a read succeed. The first attempts may still meet what the repairs set right. */
  async #checkLiveness(): Promise<void> {
    const judge = this.#workloads.clientOn("judge", this.#cluster.judge.process);
    for (const key of this.#workloads.probeKeys) {
      let isServed = false;
      const probe = async (): Promise<void> => {
        while (!isServed) {
          const put = await judge.put(key, "alive");
          const get = put.outcome === "ok" ? await judge.get(key) : put;
          isServed = get.outcome === "ok";
          await new Promise<void>((resolve) => this.#cluster.setTimer(PROBE_PAUSE_MS, resolve));
        }
      };
      await this.#complete(`liveness: ${key} is written and read`, probe());
    }
  }

  #judgeHistory(): void {
    const { calls } = this.history;
    const violations = [
      ...this.#workloads.violations,
      ...checkKeys(calls),
      ...checkRevisions(calls, this.#invariants.lineage),
    ];
    for (const violation of violations) {
      this.fail(violation);
    }
  }

  #pass(durationMs: number): Promise<boolean> {
    return this.#runUntil(() => false, durationMs);
  }

  /** Lets time pass until the promise is settled. */
  async #complete(what: string, promise: Promise<void>): Promise<void> {
    let isSettled = false;
    const settled = promise.finally(() => {
      isSettled = true;
    });
    // What it was rejected with is thrown below.
    settled.catch(() => {});
    await this.#until(what, () => isSettled, LIVENESS_MAX_MS);
    await settled;
  }

  async #until(
    what: string,
    condition: () => boolean,
    timeoutMs: number,
    describe: () => string = () => "",
  ): Promise<void> {
    if (!(await this.#runUntil(condition, timeoutMs))) {
      const message = `not within ${timeoutMs} ms after the repairs${describe()}`;
      throw new ViolationError({ name: what, message });
    }
  }

  /** @throws ViolationError when something was violated meanwhile */
  async #runUntil(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    const { clock } = this.#cluster;
    const holds = await clock.runUntil(
      () => this.#violation !== undefined || clock.eventCount > EVENTS_MAX_COUNT || condition(),
      timeoutMs,
    );
    if (clock.eventCount > EVENTS_MAX_COUNT) {
      this.fail({
        name: "the run ends",
        message: `more than ${EVENTS_MAX_COUNT} events in ${clock.monotonicMs()} ms`,
      });
    }
    if (this.#violation !== undefined) {
      throw new ViolationError(this.#violation);
    }
    return holds;
  }

  #leads({ process, fields }: Line): void {
    const what = `Region ${String(fields["region"])} in term ${String(fields["term"])}`;
    const other = this.#leaders.get(what);
    this.#leaders.set(what, process);
    if (other !== undefined && other !== process) {
      this.fail({ name: "one leader a term", message: `${other} and ${process} lead ${what}` });
    }
  }

  #watchNetwork(): void {
    const { net } = this.#cluster;
    const trace = this.#trace;
    net.mayRepeat = (host, message) => this.#used.mayRepeat(host, message);
    net.observe = ({ kind, from, to, path, connectionId, streamId, sizeBytes }) => {
      trace.note(kind, from, to, path, connectionId, streamId, sizeBytes);
      if (trace.isShown && kind !== "send") {
        trace.remark(
          `${from} → ${to} ${kind} ${shortPath(path)} #${connectionId}.${streamId} ${sizeBytes} B`,
        );
      }
    };
    if (trace.isShown) {
      net.intercept = ({ from, to, path, isAnswer, connectionId, streamId, message }) => {
        const text = describeMessage(path, isAnswer, message);
        trace.remark(`${from} → ${to} send ${shortPath(path)} #${connectionId}.${streamId} ${text}`);
        return "deliver";
      };
    }
  }

  /** PD's map changes only with a write. */
  #lookAtMap(writer: string): void {
    const { pd } = this.#cluster;
    const map = writer === pd.name ? drivenBy(pd.process.running)?.cluster.durable.regions.all() : undefined;
    if (map !== undefined) {
      this.#invariants.sawMap(map);
    }
    const problem = writer === pd.name ? this.#cluster.versionProblem : undefined;
    if (problem !== undefined) {
      this.fail({ name: "the cluster version waits for every program", message: problem });
    }
  }

  #watcher(): ClusterWatcher {
    return {
      processEvent: (name, event) => {
        this.#trace.event("process", name, event);
        if (event === "start") {
          this.#used.started(name);
        }
      },
      diskEvent: (name, event, writeCount, sizeBytes, isSynced) => {
        this.#trace.event(event, name, writeCount, sizeBytes, isSynced ? "synced" : "unsynced");
        this.#lookAtMap(name);
      },
      faultEvent: (kind, what, targets) => this.#trace.event("fault", what, kind, ...targets),
      adminEvent: (kind, outcome) => this.#trace.event("admin", kind, outcome),
      processFailed: (name, doing, error) =>
        this.fail({
          name: `a process can ${doing}`,
          message: `${name}: ${describeError(error)}`,
        }),
    };
  }
}

function violationOf(error: unknown, name: string): Violation {
  return error instanceof ViolationError ? error.violation : { name, message: describeError(error) };
}

function describeError(error: unknown): string {
  if (error instanceof RdbError) {
    return `${error.code}: ${error.message}`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
