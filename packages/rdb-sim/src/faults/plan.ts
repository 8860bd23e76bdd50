import { type Random, SECOND_MS, SeededRandom } from "@flaredb/rdb-base";
import { type ClusterShape, drawShape } from "./cluster-shape.ts";
import { drawFault, elasticKinds, faultKinds } from "./draw-fault.ts";
import { withLateAnswers, withStaged } from "./draw-staged.ts";
import { type ElasticAction, drawElasticity } from "./elastic-action.ts";
import { type Fault, type FaultKind, formatFault } from "./fault.ts";
import { withOlderPrograms } from "./older-programs.ts";

/** Everything that a seed decides before its run. JSON; the same plan, the same run. */
export interface Plan {
  readonly seed: number;
  readonly shape: ClusterShape;
  /** By time. All are over at `faultsEndMs`. */
  readonly faults: readonly Fault[];
  /** When everything is repaired, from the start of the run. */
  readonly faultsEndMs: number;
}

/** How long things go wrong, at least. */
const FAULTS_MIN_MS = 30 * SECOND_MS;
const FAULTS_SPREAD_MS = 6 * SECOND_MS;
/** Most plans let the cluster come up first; in the others it has to come up among faults. */
const QUIET_START_MS = 3 * SECOND_MS;
const FAULTS_MIN_COUNT = 5;
const FAULTS_MAX_COUNT = 24;
const EARLY_CRASH_MS = 2_000;
/** PD writes about so often until all Regions have a leader. */
const EARLY_WRITES_MAX_COUNT = 20;
const ELASTIC_MIN_COUNT = 3;
const ELASTIC_MAX_COUNT = 16;
const MISSED_MAX_COUNT = 3;
/** Kinds that a plan uses, at least. */
const KINDS_MIN_COUNT = 2;
/** Seeds are 32 bits wide, so that they are short to type. */
export const SEED_BOUND = 2 ** 32;
const FNV_OFFSET = 0x811c9dc5;

/**
 * Draws the run of a seed. Each plan uses some kinds of faults only, often or seldom: what never happens together
 * with something else hides no bug that needs peace.
 */
export function drawPlan(seed: number): Plan {
  const shape = drawShape(streamOf(seed, "shape"));
  const random = streamOf(seed, "faults");
  const startMs = random.nextInt(6) === 0 ? 0 : QUIET_START_MS;
  const faultsEndMs = startMs + FAULTS_MIN_MS + random.nextInt(FAULTS_SPREAD_MS);
  const kinds = someKinds(random, faultKinds);
  const count = FAULTS_MIN_COUNT + random.nextInt(FAULTS_MAX_COUNT - FAULTS_MIN_COUNT + 1);
  const faults = Array.from({ length: count }, (): Fault => {
    const atMs = startMs + random.nextInt(faultsEndMs - startMs);
    const drawn = drawFault(random, kinds[random.nextInt(kinds.length)] as FaultKind, shape);
    return { ...drawn, atMs, durationMs: Math.min(drawn.durationMs, faultsEndMs - atMs) };
  });
  if (startMs === 0 && random.nextInt(2) === 0) {
    faults.push(earlyCrash(random));
  }
  faults.sort((a, b) => a.atMs - b.atMs);
  const plan: Plan = { seed, shape, faults, faultsEndMs };
  const whole = streamOf(seed, "is elastic").nextInt(2) === 0 ? plan : withElasticity(plan);
  const mixed = withOlderPrograms(whole, streamOf(seed, "older programs"), QUIET_START_MS);
  const staged = withStaged(mixed, streamOf(seed, "staged faults"), QUIET_START_MS);
  return withLateAnswers(staged, streamOf(seed, "late answers"));
}

/** The plan with an elastic cluster, and what is asked of it; itself, when it has one. */
export function withElasticity(plan: Plan): Plan {
  if (plan.shape.elastic !== undefined) {
    return plan;
  }
  const { seed, shape, faultsEndMs } = plan;
  const random = streamOf(seed, "elasticity");
  const elastic = drawElasticity(random);
  const times = { startMs: QUIET_START_MS, faultsEndMs };
  const faults = [
    ...plan.faults,
    ...drawElastic(random, shape, times),
    ...drawMissed(streamOf(seed, "missed changes"), shape, times),
  ];
  faults.sort((a, b) => a.atMs - b.atMs);
  return { ...plan, shape: { ...shape, elastic }, faults };
}

/** Regions split, move and merge among the faults. A Region that is to lose a peer could not bear a lost Store too. */
function drawElastic(
  random: Random,
  shape: ClusterShape,
  { startMs, faultsEndMs }: { readonly startMs: number; readonly faultsEndMs: number },
): Fault[] {
  const without: ElasticAction["kind"] = random.nextInt(2) === 0 ? "lose-store" : "remove-peer";
  const kinds = someKinds(
    random,
    elasticKinds.filter((kind) => kind !== without),
  );
  const count = ELASTIC_MIN_COUNT + random.nextInt(ELASTIC_MAX_COUNT - ELASTIC_MIN_COUNT + 1);
  return Array.from({ length: count }, (): Fault => {
    const atMs = startMs + random.nextInt(faultsEndMs - startMs);
    const drawn = drawFault(random, kinds[random.nextInt(kinds.length)] as FaultKind, shape);
    return { ...drawn, atMs, durationMs: Math.min(drawn.durationMs, faultsEndMs - atMs) };
  });
}

/** In some plans a Store misses what happens to a Region. */
function drawMissed(
  random: Random,
  shape: ClusterShape,
  { startMs, faultsEndMs }: { readonly startMs: number; readonly faultsEndMs: number },
): Fault[] {
  return Array.from({ length: random.nextInt(MISSED_MAX_COUNT + 1) }, (): Fault => {
    const atMs = startMs + random.nextInt(faultsEndMs - startMs);
    const drawn = drawFault(random, "missed-change", shape);
    return { ...drawn, atMs, durationMs: Math.min(drawn.durationMs, faultsEndMs - atMs) };
  });
}

/** What PD decides once, it decides in the first moments: Store ids, and where Regions lie. It dies then. */
function earlyCrash(random: Random): Fault {
  return {
    kind: "crash-at-write",
    target: { role: "pd" },
    writeCount: 1 + random.nextInt(EARLY_WRITES_MAX_COUNT),
    moment: random.nextInt(2) === 0 ? "torn" : "durable",
    ...{ atMs: 0, durationMs: EARLY_CRASH_MS },
  };
}

/** Repeatable chance for one purpose of a seed: what one purpose draws changes nothing for the others. */
export function streamOf(seed: number, purpose: string): Random {
  return new SeededRandom(fnv1a(`${seed} ${purpose}`) * SEED_BOUND + (seed >>> 0));
}

function fnv1a(text: string): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  // The generator takes 53 bits: 21 of these and the seed's 32.
  return hash >>> 11;
}

/** The plan as people read it: the cluster in one line, then a line for each fault. */
export function formatPlan({ seed, shape, faults, faultsEndMs }: Plan): string {
  const { limits, clocks, elastic, ...rest } = shape;
  const rates = clocks.map((clock) => clock.rate.toFixed(3)).join(",");
  return [
    `seed ${seed}: ${words(rest)} clockRates=${rates} ${words(limits)} ${words(elastic ?? {})}`.trimEnd(),
    ...faults.map((fault) => `  ${formatFault(fault)}`),
    `  ${(faultsEndMs / SECOND_MS).toFixed(3)}s everything is repaired`,
  ].join("\n");
}

function words(fields: object): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(" ");
}

function someKinds(random: Random, all: readonly FaultKind[]): FaultKind[] {
  for (;;) {
    const share = random.nextFraction();
    const kinds = all.filter(() => random.nextFraction() < share);
    if (kinds.length >= KINDS_MIN_COUNT) {
      return kinds;
    }
  }
}
