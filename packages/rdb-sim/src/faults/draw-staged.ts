import type { Random } from "@flaredb/rdb-base";
import { drawFault } from "./draw-fault.ts";
import type { Fault } from "./fault.ts";
import type { Plan } from "./plan.ts";

/** Those that bring about by stages what chance seldom does. */
const STAGED_KINDS = ["doubtful-leader", "usurper", "lost-transfer"] as const;
const STAGED_MAX_COUNT = 2;
/** The same for changes of Regions: most elastic plans have one of these, too. */
const CHANGING_KINDS = ["missed-merge", "untold-change", "overtaken-snapshot"] as const;
/** Of so many plans one ends with answers that come late. */
const LATE_ANSWERS_ONE_IN = 3;
/** Before one begins there is peace for a leader to be found, */
const CALM_BEFORE_MS = 1_500;
/** and after its second stage begins, for what should come of it. */
const CALM_AFTER_MS = 2_500;
/** What was to begin at such a time begins so long before the end at the latest. */
const LATEST_MS = 500;

interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * The plan with a few faults in stages, in most seeds. Whatever else goes wrong makes way for them, as they need a
 * leader and a Region that stays where it is for a moment.
 *
 * @param startMs before which there may be no leader
 */
export function withStaged(plan: Plan, random: Random, startMs: number): Plan {
  const { shape, faultsEndMs } = plan;
  const usualCount = random.nextInt(STAGED_MAX_COUNT + 1);
  const changing = shape.elastic === undefined ? [] : drawChanging(random, usualCount + 1);
  const count = usualCount + changing.length;
  // Each in a part of the run of its own.
  const partMs = Math.floor((faultsEndMs - startMs) / Math.max(1, count));
  let others = plan.faults;
  const staged = Array.from({ length: count }, (_, place): Fault => {
    const kind = changing.find((one) => one.place === place)?.kind ?? oneOf(random, STAGED_KINDS);
    const drawn = drawFault(random, kind, shape);
    const atMs = startMs + place * partMs + random.nextInt(Math.max(1, partMs - drawn.durationMs));
    const leadMs = "leadMs" in drawn ? drawn.leadMs : 0;
    const calm = { startMs: atMs - CALM_BEFORE_MS, endMs: atMs + leadMs + CALM_AFTER_MS };
    others = others.map((other) => outOf(calm, other, faultsEndMs));
    return { ...drawn, atMs, durationMs: Math.min(drawn.durationMs, faultsEndMs - atMs) };
  });
  const faults = [...others, ...staged].sort((a, b) => a.atMs - b.atMs);
  return { ...plan, faults };
}

/** In some seeds the answers to a leader come late, once everything else is over: before that all is as without. */
export function withLateAnswers(plan: Plan, random: Random): Plan {
  if (random.nextInt(LATE_ANSWERS_ONE_IN) !== 0) {
    return plan;
  }
  const fault = { ...drawFault(random, "late-answers", plan.shape), atMs: plan.faultsEndMs + CALM_BEFORE_MS };
  return { ...plan, faults: [...plan.faults, fault], faultsEndMs: fault.atMs + fault.durationMs };
}

/** The fault, over before the span or begun after it, if there is an after. */
function outOf({ startMs, endMs }: Span, fault: Fault, faultsEndMs: number): Fault {
  if (fault.atMs + fault.durationMs <= startMs || fault.atMs >= endMs) {
    return fault;
  }
  if (fault.atMs < startMs) {
    return { ...fault, durationMs: startMs - fault.atMs };
  }
  const atMs = Math.max(fault.atMs, Math.min(fault.atMs + endMs - startMs, faultsEndMs - LATEST_MS));
  return { ...fault, atMs, durationMs: Math.min(fault.durationMs, faultsEndMs - atMs) };
}

/** The kind of one, and its place among `count`. */
function drawChanging(
  random: Random,
  count: number,
): readonly { readonly kind: (typeof CHANGING_KINDS)[number]; readonly place: number }[] {
  return random.nextInt(4) === 0
    ? []
    : [{ kind: oneOf(random, CHANGING_KINDS), place: random.nextInt(count) }];
}

function oneOf<Item>(random: Random, items: readonly Item[]): Item {
  return items[random.nextInt(items.length)] as Item;
}
