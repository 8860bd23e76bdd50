import { type Random, clusterVersions } from "@flaredb/rdb-base";
import { drawFault } from "./draw-fault.ts";
import type { Fault } from "./fault.ts";
import type { Plan } from "./plan.ts";

/** A Store or a member of PD goes on with a program that knows the cluster version, and no newer one. */
export interface ChangeProgram {
  readonly kind: "change-program";
  /** Of the Stores that the cluster begins with, then of PD's members. */
  readonly place: number;
  readonly clusterVersion: number;
}

/** One plan in this many begins with older programs. */
const ONE_IN = 5;
/** The last one is new again before everything is repaired. */
const DOWN_MAX_MS = 2_500;
/** A Store that is gone may hold the cluster's version back for ever, or not at all. */
const EXCLUDED: ReadonlySet<string> = new Set(["lose-store", "decommission"]);

/**
 * The plan, in some seeds with the older programs everywhere: amid the faults each is replaced by the newer one, one
 * after the other, and in some plans one of them goes back before the last one is new.
 *
 * @param startMs before which no program is replaced
 */
export function withOlderPrograms(plan: Plan, random: Random, startMs: number): Plan {
  const { shape, faults, faultsEndMs } = plan;
  if (random.nextInt(ONE_IN) !== 0 || faults.some(({ kind }) => EXCLUDED.has(kind))) {
    return plan;
  }
  const steps = drawSteps(random, shape.storeCount + (shape.pdMemberCount ?? 1), shape.elastic === undefined);
  const lastMs = faultsEndMs - DOWN_MAX_MS;
  const times = steps.map(() => startMs + random.nextInt(lastMs - startMs)).sort((a, b) => a - b);
  const changes = steps.map((step, place): Fault => {
    const { durationMs } = drawFault(random, step.kind, shape);
    return { ...step, atMs: times[place] as number, durationMs };
  });
  return {
    ...plan,
    shape: { ...shape, olderPrograms: true },
    faults: [...faults, ...changes].sort((a, b) => a.atMs - b.atMs),
  };
}

/** In order. @param mayGoBack whether one may be replaced by the older one again, and by the newer one after that */
function drawSteps(random: Random, count: number, mayGoBack: boolean): ChangeProgram[] {
  const change = (place: number, clusterVersion: number): ChangeProgram => ({
    kind: "change-program",
    ...{ place, clusterVersion },
  });
  const { oldest, newest } = clusterVersions;
  const first = random.nextInt(count);
  const steps = Array.from({ length: count }, (_, at) => change((first + at) % count, newest));
  if (mayGoBack && random.nextInt(2) === 0) {
    const backAt = 1 + random.nextInt(count - 1);
    const { place } = steps[random.nextInt(backAt)] as ChangeProgram;
    steps.splice(backAt, 0, change(place, oldest), change(place, newest));
  }
  return steps;
}
