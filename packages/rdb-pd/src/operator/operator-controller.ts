import { type RegionId, type StoreId, assert, epochsEqual } from "@flaredb/rdb-base";
import type { RegionHeartbeatResponse } from "@flaredb/rdb-proto";
import type { Moment, StoreCondition } from "../cluster/cluster-state.ts";
import type { RegionInfo } from "../cluster/region-info.ts";
import { pdLimits } from "../limits.ts";
import type { CancelReason, OperatorPlan } from "../placement/operator-plan.ts";
import type { PlacementConfig } from "../placement/placement-config.ts";
import { storeLimits } from "../placement/store-limits.ts";
import { type AddRefusal, admissionRefusal, touchedRegionIds, yieldsToRepair } from "./admission.ts";
import { confVerSpent } from "./conf-ver-spent.ts";
import { type Influence, InfluenceSum } from "./influence.ts";
import { type StepVerdict, judgeStep } from "./judge-step.ts";
import { leaderCommandToProto } from "./leader-command.ts";
import { Operator } from "./operator.ts";
import { OperatorHistory } from "./operator-history.ts";
import type { OperatorRecord } from "./operator-record.ts";
import { type Refusal, refusalEffect } from "./refusal.ts";
import { operatorTimeoutMs, stepTimeoutMs } from "./step-timeout.ts";
import { type RunningLimits, WaitingOperators } from "./waiting-operators.ts";

/** What the controller needs of the cluster around it. */
export interface OperatorPorts {
  region(id: RegionId): RegionInfo | undefined;
  /** Undefined: never registered. */
  condition(id: StoreId): StoreCondition | undefined;
  config(): PlacementConfig;
  /** A fresh id; undefined while none is at hand. */
  takeId(): number | undefined;
  /** Whether the Store's stream took it. */
  send(storeId: StoreId, command: RegionHeartbeatResponse): boolean;
  /** The operator began or ended. */
  recorded(record: OperatorRecord): void;
}

export type AddResult =
  | { readonly ok: true; readonly operator: OperatorRecord }
  | { readonly ok: false; readonly refusal: AddRefusal };

/** So many steps' commands an operator's id leaves room for in a command id. */
const COMMANDS_PER_OPERATOR = pdLimits.operatorMaxSteps;

/**
 * Carries operators through: one for each Region, in steps that are judged by the Region's reports alone. A step's
 * command is said to the Region's leader, and again until a report shows it or a refusal ends it. Pure: time is handed
 * in, nothing is awaited.
 */
export class OperatorController {
  readonly history: OperatorHistory;
  readonly #ports: OperatorPorts;
  readonly #byRegion = new Map<RegionId, Operator>();
  readonly #byId = new Map<number, Operator>();
  readonly #waiting = new WaitingOperators();
  readonly #influence = new InfluenceSum();
  readonly #countByOrigin = new Map<string, number>();
  readonly #doneByOrigin = new Map<string, number>();

  /** @param ended what ended before this process began, the oldest first */
  constructor(ports: OperatorPorts, ended: Iterable<OperatorRecord> = []) {
    this.#ports = ports;
    this.history = new OperatorHistory(pdLimits.operatorHistoryMaxCount, ended);
  }

  /** Operators that wait or run, in the order in which they were made. */
  active(): OperatorRecord[] {
    return [...this.#byId.values()].map((operator) => operator.record());
  }

  get activeCount(): number {
    return this.#byId.size;
  }

  /** One that waits, runs or ended not too long ago. */
  find(id: number): OperatorRecord | undefined {
    return this.#byId.get(id)?.record() ?? this.history.get(id);
  }

  /** The operator that has the Region, as its own or as the target of a merge. */
  ofRegion(id: RegionId): OperatorRecord | undefined {
    return this.#byRegion.get(id)?.record();
  }

  hasOperator(id: RegionId): boolean {
    return this.#byRegion.has(id);
  }

  /** Whether the Region's operator, if it has one, makes way for a repair. */
  yieldsToRepair(id: RegionId): boolean {
    const operator = this.#byRegion.get(id);
    return operator !== undefined && yieldsToRepair(operator, this.#ports.region(operator.plan.regionId));
  }

  /** What all operators together will make of the Store. */
  influence(id: StoreId): Influence {
    return this.#influence.of(id);
  }

  countOf(origin: string): number {
    return this.#countByOrigin.get(origin) ?? 0;
  }

  /** How many of this origin ended well since PD's start. */
  doneCountOf(origin: string): number {
    return this.#doneByOrigin.get(origin) ?? 0;
  }

  /** Takes the plan, in place of a lower one if it may, and begins at once if the Stores' limits allow it. */
  add(plan: OperatorPlan, now: Moment): AddResult {
    const others = touchedRegionIds(plan).flatMap((id) => this.#byRegion.get(id) ?? []);
    const refusal = admissionRefusal(plan, {
      others: [...new Set(others)],
      activeCount: this.#byId.size,
      region: (id) => this.#ports.region(id),
    });
    if (refusal !== undefined) {
      return { ok: false, refusal };
    }
    const id = this.#ports.takeId();
    if (id === undefined) {
      const message = "the placement driver is just fetching ids: ask again";
      return { ok: false, refusal: { reason: "no-id", message } };
    }
    for (const other of new Set(others)) {
      this.#end(other, "Cancelled", "replaced", `operator ${id} (${plan.kind}) takes its place`, now);
    }
    const operator = new Operator(id, plan, now);
    this.#enter(operator);
    this.#ports.recorded(operator.record());
    if (this.#waiting.tryTake(operator, this.#limits())) {
      this.#start(operator, now);
    }
    return { ok: true, operator: operator.record() };
  }

  /** Ends the operator, if it waits or runs still; a half-made change is left to the checkers. */
  cancel(id: number, reason: CancelReason, message: string, now: Moment): OperatorRecord | undefined {
    const operator = this.#byId.get(id);
    if (operator === undefined) {
      return undefined;
    }
    this.#end(operator, "Cancelled", reason, message, now);
    return operator.record();
  }

  /** The Region's leader reported, or the Region is no more. */
  regionChanged(id: RegionId, now: Moment): void {
    const operator = this.#byRegion.get(id);
    if (operator?.state === "Running") {
      this.#advance(operator, now);
    }
  }

  /** A Store will not carry out a command. */
  refused(refusal: Refusal, now: Moment): void {
    const operator = this.#byId.get(Math.floor(refusal.commandId / COMMANDS_PER_OPERATOR));
    if (operator?.state !== "Running" || commandId(operator) !== refusal.commandId) {
      return;
    }
    operator.lastRefusal = refusal.message;
    if (refusalEffect(refusal.reason) === "cancel") {
      const message = `${refusal.reason}: ${refusal.message}`;
      this.#end(operator, "Cancelled", "refused", message, now);
    }
  }

  /** Lets time pass: timeouts, repeated commands, waiting operators. */
  tick(now: Moment): void {
    for (const operator of [...this.#byId.values()]) {
      if (operator.state === "Running") {
        this.#advance(operator, now);
      } else if (now.monotonicMs - operator.createdMonotonicMs > pdLimits.waitingMaxMs) {
        this.#end(operator, "TimedOut", "timed-out", "no place in the limits of its stores", now);
      }
    }
    for (const operator of this.#waiting.takeFitting(this.#limits())) {
      this.#start(operator, now);
    }
  }

  #enter(operator: Operator): void {
    this.#byId.set(operator.id, operator);
    for (const id of touchedRegionIds(operator.plan)) {
      assert(!this.#byRegion.has(id), "a Region has one operator");
      this.#byRegion.set(id, operator);
    }
    this.#waiting.add(operator);
    this.#influence.put(operator.id, operator.plan, 0);
    this.#countByOrigin.set(operator.plan.origin, this.countOf(operator.plan.origin) + 1);
  }

  #leave(operator: Operator): void {
    this.#byId.delete(operator.id);
    for (const id of touchedRegionIds(operator.plan)) {
      this.#byRegion.delete(id);
    }
    this.#waiting.remove(operator);
    this.#influence.remove(operator.id);
    this.#countByOrigin.set(operator.plan.origin, this.countOf(operator.plan.origin) - 1);
    const { origin } = operator.plan;
    if (operator.state === "Done") {
      this.#doneByOrigin.set(origin, this.doneCountOf(origin) + 1);
    }
    const record = operator.record();
    this.history.add(record);
    this.#ports.recorded(record);
  }

  #start(operator: Operator, now: Moment): void {
    operator.start(now);
    this.#advance(operator, now);
  }

  #limits(): RunningLimits {
    const config = this.#ports.config();
    return {
      of: (id) => storeLimits(config, id),
      isUnlimited: (id) => this.#ports.condition(id) === "Down",
    };
  }

  /** Steps that are done are left behind; the next one is said to the leader. */
  #advance(operator: Operator, now: Moment): void {
    for (;;) {
      const info = this.#ports.region(operator.plan.regionId);
      if (info !== undefined && !isReported(info)) {
        return this.#expire(operator, "its leader has not reported its newest state", now);
      }
      const verdict = judgeStep(operator.step, {
        plan: operator.plan,
        info,
        region: (id) => this.#ports.region(id),
        condition: (id) => this.#ports.condition(id),
      });
      if (verdict.kind !== "done") {
        return this.#act(operator, info, verdict, now);
      }
      operator.finishStep(now);
      if (operator.state === "Done") {
        return this.#leave(operator);
      }
      this.#waiting.advanced(operator);
      this.#influence.put(operator.id, operator.plan, operator.currentStep);
    }
  }

  #act(
    operator: Operator,
    info: RegionInfo | undefined,
    verdict: Exclude<StepVerdict, { kind: "done" }>,
    now: Moment,
  ): void {
    if (verdict.kind === "fail") {
      return this.#end(operator, "Cancelled", verdict.reason, verdict.message, now);
    }
    assert(info !== undefined, "a step of a Region that is no more is done or failed");
    const stale = staleMessage(operator, info);
    if (stale !== undefined) {
      return this.#end(operator, "Cancelled", "epoch-changed", stale, now);
    }
    const waitsFor = verdict.kind === "wait" ? verdict.reason : operator.lastRefusal;
    this.#expire(operator, waitsFor === "" ? "no report shows the step" : waitsFor, now);
    if (operator.state === "Running" && verdict.kind === "send") {
      this.#say(operator, info, verdict, now);
    }
  }

  #say(
    operator: Operator,
    { region, status }: RegionInfo,
    { command }: Extract<StepVerdict, { kind: "send" }>,
    now: Moment,
  ): void {
    const leader = status?.leader;
    if (leader === undefined) {
      return;
    }
    const { confVer, version } = region.epoch;
    const key = `${operator.currentStep} ${command.kind} ${leader.storeId} ${status?.term} ${confVer}.${version}`;
    const last = operator.dispatch;
    const isRepeat = last?.key === key;
    if (isRepeat && now.monotonicMs - last.sentMonotonicMs < pdLimits.commandRepeatAfterMs) {
      return;
    }
    const message = leaderCommandToProto(commandId(operator), region, command);
    if (this.#ports.send(leader.storeId, message)) {
      operator.dispatch = { key, sentMonotonicMs: now.monotonicMs };
    }
  }

  #expire(operator: Operator, waitsFor: string, now: Moment): void {
    const { plan } = operator;
    const stepMs = now.monotonicMs - operator.stepMonotonicMs;
    const limitMs = stepTimeoutMs(operator.step, plan.approximateSizeBytes);
    const wholeMs = now.monotonicMs - operator.startedMonotonicMs;
    const wholeLimitMs = operatorTimeoutMs(plan.steps, plan.approximateSizeBytes);
    if (stepMs <= limitMs && wholeMs <= wholeLimitMs) {
      return;
    }
    const hasLeader = this.#ports.region(plan.regionId)?.status?.leader !== undefined;
    const [ms, limit] = stepMs > limitMs ? [stepMs, limitMs] : [wholeMs, wholeLimitMs];
    this.#end(
      operator,
      "TimedOut",
      hasLeader ? "timed-out" : "leader-lost",
      `${operator.step.kind} took ${Math.round(ms)} ms, the limit is ${limit} ms: ${hasLeader ? waitsFor : "no leader is known"}`,
      now,
    );
  }

  #end(
    operator: Operator,
    state: "Cancelled" | "TimedOut",
    reason: CancelReason,
    message: string,
    now: Moment,
  ): void {
    operator.end(state, reason, message, now);
    this.#leave(operator);
  }
}

/** Whether what is known of the Region's peers is of the peers that it has. */
function isReported({ region, status }: RegionInfo): boolean {
  return status !== undefined && epochsEqual(status.epoch, region.epoch);
}

/** Each step of each operator has a command of its own. */
function commandId(operator: Operator): number {
  return operator.id * COMMANDS_PER_OPERATOR + operator.currentStep;
}

/** Somebody else changed the Region's peers since the plan. */
function staleMessage(operator: Operator, { region }: RegionInfo): string | undefined {
  const { plan } = operator;
  const spent = confVerSpent(plan.steps.slice(0, operator.currentStep + 1), region);
  const risen = region.epoch.confVer - plan.epoch.confVer;
  return risen > spent
    ? `conf_ver rose from ${plan.epoch.confVer} to ${region.epoch.confVer}, by its own steps only ${spent}`
    : undefined;
}
