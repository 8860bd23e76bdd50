import { HOUR_MS, type Random, clusterVersions } from "@flaredb/rdb-base";
import type { ClusterShape } from "./cluster-shape.ts";
import { type ElasticAction, drawElasticAction } from "./elastic-action.ts";
import type { FaultAction, FaultKind, Target, Targets } from "./fault.ts";
import { type LateAnswers, drawLateAnswers } from "./late-answers.ts";
import type { ChangeProgram } from "./older-programs.ts";
import { type LostTransfer, drawLostTransfer } from "./lost-transfer.ts";
import { type MissedChange, drawMissedChange } from "./missed-change.ts";
import { type MissedMerge, drawMissedMerge } from "./missed-merge.ts";
import { type OvertakenSnapshot, drawOvertakenSnapshot } from "./overtaken-snapshot.ts";
import { type UntoldChange, drawUntoldChange } from "./untold-change.ts";

/** How one kind of fault is drawn. */
interface Draw {
  /** How long it lasts, from and to, in ms; short ones are likelier. */
  readonly durationMs: readonly [number, number];
  readonly action: (random: Random, shape: ClusterShape) => FaultAction;
}

/** Most writes that a disk takes before the one that the process dies at. */
const CRASH_WRITES_MAX_COUNT = 60;
/** About as many as it takes to replace the rows of a small Region. */
const REPLACEMENT_WRITES_MAX_COUNT = 5;
/**
 * Long enough for clients to find the successor before its predecessor hears of it, and shorter than a lease, so that
 * what comes late could still renew one.
 */
const LATE_TRANSFER_MS = 600;
const JUMP_MAX_MS = 12 * HOUR_MS;

/** What is asked is asked once, and goes on by itself. */
function asked(kind: ElasticAction["kind"], durationMs: Draw["durationMs"] = [1, 1]): Draw {
  return { durationMs, action: (random) => drawElasticAction(random, kind) };
}

/** Kinds that only an elastic cluster knows. */
const elasticDraws: { readonly [Kind in ElasticAction["kind"]]: Draw } = {
  "split-region": asked("split-region"),
  "move-peer": asked("move-peer"),
  "add-peer": asked("add-peer"),
  "remove-peer": asked("remove-peer"),
  "lead-by": asked("lead-by"),
  scatter: asked("scatter"),
  "merge-region": asked("merge-region"),
  "check-region": asked("check-region"),
  decommission: asked("decommission", [1_000, 12_000]),
  "lose-store": asked("lose-store", [200, 8_000]),
};

type ApartAction =
  | MissedChange
  | MissedMerge
  | OvertakenSnapshot
  | UntoldChange
  | LostTransfer
  | LateAnswers
  | ChangeProgram;

/** Drawn apart from the others: see `drawPlan`. */
const apartDraws: { readonly [Kind in ApartAction["kind"]]: Draw } = {
  "missed-change": { durationMs: [1_500, 9_000], action: (random) => drawMissedChange(random) },
  // Long enough for what it waits for; over when that has come.
  "lost-transfer": { durationMs: [5_000, 10_000], action: drawLostTransfer },
  // As long as it takes until nobody is in doubt any more, whatever was drawn.
  "late-answers": { durationMs: [7_000, 7_000], action: drawLateAnswers },
  // Which one, and what it then knows, `withOlderPrograms` says.
  "change-program": {
    durationMs: [200, 2_000],
    action: () => ({ kind: "change-program", place: 0, clusterVersion: clusterVersions.newest }),
  },
  // These last longer than a peer waits for a leader before it asks whether it was removed.
  "missed-merge": { durationMs: [5_000, 9_000], action: drawMissedMerge },
  "untold-change": { durationMs: [5_000, 9_000], action: drawUntoldChange },
  "overtaken-snapshot": { durationMs: [4_000, 7_000], action: drawOvertakenSnapshot },
};

type UsualKind = Exclude<FaultKind, keyof typeof elasticDraws | keyof typeof apartDraws>;

const draws: { readonly [Kind in UsualKind]: Draw } = {
  loss: {
    durationMs: [500, 8_000],
    action: (random) => ({
      kind: "loss",
      packetRate: oneOf(random, [0, 0.01, 0.1]),
      messageRate: oneOf(random, [0, 0.1, 0.3, 0.5]),
    }),
  },
  delay: {
    durationMs: [500, 8_000],
    action: (random) => ({ kind: "delay", maxMs: oneOf(random, [10, 50, 125, 400]) }),
  },
  duplicate: {
    durationMs: [1_000, 8_000],
    action: (random) => ({ kind: "duplicate", rate: oneOf(random, [0.05, 0.3]) }),
  },
  reorder: {
    durationMs: [1_000, 8_000],
    action: (random) => ({ kind: "reorder", rate: oneOf(random, [0.05, 0.2, 0.5]) }),
  },
  repeat: {
    durationMs: [1_000, 15_000],
    action: (random) => ({ kind: "repeat", rate: oneOf(random, [0.05, 0.3, 1]) }),
  },
  narrow: {
    durationMs: [500, 8_000],
    action: (random) => ({ kind: "narrow", bytesPerSecond: oneOf(random, [5_000, 50_000, 500_000]) }),
  },
  "reset-connections": {
    durationMs: [1, 1],
    action: (random, shape) => ({
      kind: "reset-connections",
      a: anyProcess(random, shape),
      b: anyProcess(random, shape),
    }),
  },
  "slow-link": {
    durationMs: [1_000, 8_000],
    action: (random, shape) => ({
      kind: "slow-link",
      from: anyStore(random, shape),
      to: anyStore(random, shape),
      delayMs: oneOf(random, [20, 75, 200, 1_200]),
    }),
  },
  "one-way": {
    durationMs: [500, 8_000],
    action: (random, shape) => ({
      kind: "one-way",
      from: anyProcess(random, shape),
      to: anyProcess(random, shape),
    }),
  },
  ring: {
    durationMs: [500, 6_000],
    // In a ring of three each Store is beside each other.
    action: (random, { storeCount }) => ({
      kind: "ring",
      gap: storeCount === 3 || random.nextInt(2) === 0 ? random.nextInt(storeCount) : -1,
    }),
  },
  split: {
    durationMs: [500, 8_000],
    action: (random, shape) => ({
      kind: "split",
      left: random.nextInt(2 ** (shape.storeCount + 1 + shape.clientCount)),
    }),
  },
  isolate: {
    durationMs: [300, 10_000],
    action: (random, shape) => ({ kind: "isolate", target: anyProcess(random, shape) }),
  },
  "cut-off": {
    durationMs: [300, 10_000],
    action: (random, shape) => ({ kind: "cut-off", target: anyStoreTarget(random, shape) }),
  },
  kill: {
    durationMs: [1, 8_000],
    action: (random, shape) => ({ kind: "kill", targets: anyTargets(random, shape) }),
  },
  "power-off": {
    durationMs: [1, 8_000],
    action: (random, shape) => ({ kind: "power-off", targets: anyTargets(random, shape) }),
  },
  stop: {
    durationMs: [1, 6_000],
    action: (random, shape) => ({ kind: "stop", targets: anyTargets(random, shape) }),
  },
  pause: {
    durationMs: [100, 30_000],
    action: (random, shape) => ({ kind: "pause", targets: anyTargets(random, shape) }),
  },
  "crash-at-write": {
    durationMs: [1, 4_000],
    action: (random, shape) => ({
      kind: "crash-at-write",
      target: random.nextInt(8) === 0 ? { role: "pd" } : anyStoreTarget(random, shape),
      writeCount: 1 + random.nextInt(CRASH_WRITES_MAX_COUNT),
      moment: oneOf(random, ["torn", "durable"] as const),
    }),
  },
  "crash-in-replacement": {
    durationMs: [5_000, 30_000],
    action: (random, shape) => ({
      kind: "crash-in-replacement",
      target: anyStore(random, shape),
      writeCount: 1 + random.nextInt(REPLACEMENT_WRITES_MAX_COUNT),
      moment: oneOf(random, ["torn", "durable"] as const),
    }),
  },
  "slow-disk": {
    durationMs: [500, 8_000],
    action: (random, shape) => ({
      kind: "slow-disk",
      target: anyStoreTarget(random, shape),
      writeMs: oneOf(random, [5, 40, 200, 1_000, 3_500]),
    }),
  },
  "full-disk": {
    durationMs: [1_000, 8_000],
    action: (random, shape) => ({ kind: "full-disk", target: anyStoreTarget(random, shape) }),
  },
  "broken-disk": {
    durationMs: [500, 5_000],
    action: (random, shape) => ({ kind: "broken-disk", target: anyStoreTarget(random, shape) }),
  },
  "wall-jump": {
    durationMs: [1, 10_000],
    action: (random, shape) => ({
      kind: "wall-jump",
      target: anyProcess(random, shape),
      byMs: Math.round((random.nextFraction() * 2 - 1) * oneOf(random, [5_000, 90_000, JUMP_MAX_MS])),
    }),
  },
  transfer: {
    durationMs: [1, 1],
    action: (random, shape) => ({
      kind: "transfer",
      region: random.nextInt(shape.regionCount),
      place: random.nextInt(shape.storeCount),
    }),
  },
  "stale-proposal": {
    durationMs: [1, 1],
    action: (random, shape) => ({
      kind: "stale-proposal",
      region: random.nextInt(shape.regionCount),
      place: random.nextInt(shape.storeCount),
    }),
  },
  "doubtful-leader": {
    durationMs: [3_500, 8_000],
    action: (random, shape) => {
      const drawnLateMs = oneOf(random, [0, 300, 600, 1_200]);
      const spreadMs = random.nextInt(1_000);
      const transfers = random.nextInt(2) === 0;
      const isLateTransfer = transfers && drawnLateMs > 0;
      const lateMs = isLateTransfer ? LATE_TRANSFER_MS : drawnLateMs;
      const place = random.nextInt(shape.storeCount - 1);
      const cut = oneOf(random, ["none", "in", "out", "both"] as const);
      return {
        kind: "doubtful-leader",
        region: random.nextInt(shape.regionCount),
        lateMs,
        // What is late is under way by then.
        leadMs: lateMs + spreadMs,
        ...{ transfers, place },
        // It hands over when its successor is known to have everything, which it hears late: it must hear that.
        cut: isLateTransfer ? "none" : cut,
        clients: someClients(random, shape),
      };
    },
  },
  usurper: {
    durationMs: [3_500, 8_000],
    action: (random, shape) => ({
      kind: "usurper",
      region: random.nextInt(shape.regionCount),
      place: random.nextInt(shape.storeCount - 1),
      leadMs: 800 + random.nextInt(1_000),
      restartMs: 5 + random.nextInt(150),
      clients: someClients(random, shape),
    }),
  },
};

/** Kinds that befall every cluster. */
export const faultKinds = Object.keys(draws) as readonly FaultKind[];
export const elasticKinds = Object.keys(elasticDraws) as readonly ElasticAction["kind"][];

/** One fault of the kind: what, and for how long. */
export function drawFault(
  random: Random,
  kind: FaultKind,
  shape: ClusterShape,
): FaultAction & { readonly durationMs: number } {
  const { durationMs, action } = { ...draws, ...elasticDraws, ...apartDraws }[kind];
  const [least, most] = durationMs;
  // Evenly on a logarithmic scale.
  const drawnMs = least * (most / least) ** random.nextFraction();
  return { ...action(random, shape), durationMs: Math.round(drawnMs) };
}

function anyProcess(random: Random, shape: ClusterShape): Target {
  switch (random.nextInt(8)) {
    case 0:
      return { role: "pd" };
    case 1:
      return { role: "client", place: random.nextInt(shape.clientCount) };
    default:
      return anyStoreTarget(random, shape);
  }
}

/** Leaders twice as likely as others: more depends on them. */
function anyStoreTarget(random: Random, shape: ClusterShape): Target {
  const region = random.nextInt(shape.regionCount);
  switch (random.nextInt(4)) {
    case 0:
      return anyStore(random, shape);
    case 1:
      return { role: "follower", region, place: random.nextInt(shape.storeCount - 1) };
    default:
      return { role: "leader", region };
  }
}

function anyStore(random: Random, shape: ClusterShape): Target {
  return { role: "store", place: random.nextInt(shape.storeCount) };
}

function anyTargets(random: Random, shape: ClusterShape): Targets {
  switch (random.nextInt(12)) {
    case 0:
      return random.nextInt(2) === 0
        ? { role: "pd" }
        : { role: "client", place: random.nextInt(shape.clientCount) };
    case 1:
      return { role: "stores" };
    case 2:
      return { role: "everything" };
    case 3:
      return { role: "majority", place: random.nextInt(shape.storeCount) };
    default:
      return anyStoreTarget(random, shape);
  }
}

/** At least one and not all, a bit each. */
function someClients(random: Random, { clientCount }: ClusterShape): number {
  return 1 + random.nextInt(2 ** clientCount - 2);
}

function oneOf<Item>(random: Random, items: readonly Item[]): Item {
  return items[random.nextInt(items.length)] as Item;
}
