import { SeededRandom } from "@flaredb/rdb-base";
import { TestCluster } from "../cluster.ts";
import type { ManagedProcess } from "../managed-process.ts";
import { Bystander } from "./bystander.ts";
import { fakeStore } from "./fake-store.ts";
import { absurdMessages, brokenFrames } from "./grpc-attacks.ts";
import { type Holdings, describe, holdingsOf, settled } from "./holdings.ts";
import { adminApi, bodiesAndPaths, smuggling } from "./http1-attacks.ts";
import {
  controlFlood,
  idleConnections,
  noiseOnPorts,
  openStreams,
  rapidReset,
  slowSenders,
} from "./http2-attacks.ts";
import { lies } from "./lies.ts";
import { type Attack, type Scene, oneOf } from "./scene.ts";

const attacks: readonly Attack[] = [
  ...[absurdMessages, brokenFrames, lies, adminApi, smuggling, noiseOnPorts],
  ...[fakeStore, bodiesAndPaths],
  ...[idleConnections, openStreams, rapidReset, controlFlood, slowSenders],
];

/** A call of the client among the attacks takes at most this. */
const SLOWEST_MS = 15_000;
/** What is told of each kind. */
const TOLD_MAX_COUNT = 20;

export interface FuzzOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly print: (line: string) => void;
}

/** Attacks real processes until the time is over, each kind at least once. @returns what was found: nothing, if all is well */
export async function fuzz({ seed, durationMs, print }: FuzzOptions): Promise<string[]> {
  const findings = new Set<string>();
  const cluster = await TestCluster.start({ initialRegions: "m" });
  const victim = await TestCluster.start({ storeCount: 1 });
  const processes = [cluster, victim].flatMap(({ pd, stores }) => [pd, ...stores]);
  try {
    const bystander = new Bystander(await cluster.connect());
    bystander.start();
    const random = new SeededRandom(seed);
    const scene: Scene = { cluster, victim, random, found: (finding) => findings.add(finding) };
    // Once around first: what is loaded on first use is no leak.
    await attackAll(scene, bystander, print);
    const before = await holdingsOfAll(processes);
    const endMs = performance.now() + durationMs;
    do {
      await attack(oneOf(random, attacks), scene, bystander, print);
    } while (performance.now() < endMs && findings.size < TOLD_MAX_COUNT);
    await bystander.stop();
    print(
      `${bystander.callCount} calls of a client meanwhile, the slowest ${Math.round(bystander.slowestMs)} ms`,
    );
    if (bystander.slowestMs > SLOWEST_MS) {
      findings.add(`a client's call took ${Math.round(bystander.slowestMs)} ms`);
    }
    await compare(before, findings, print);
  } catch (error) {
    findings.add(`the run itself failed: ${error instanceof Error ? error.stack : String(error)}`);
  } finally {
    [cluster, victim].flatMap((one) => one.unexpectedEnds()).forEach((end) => findings.add(end));
    await Promise.all([cluster.dispose(), victim.dispose()]);
  }
  return [...findings];
}

async function attackAll(scene: Scene, bystander: Bystander, print: FuzzOptions["print"]): Promise<void> {
  for (const one of attacks) {
    await attack(one, scene, bystander, print);
  }
}

async function attack(
  one: Attack,
  scene: Scene,
  bystander: Bystander,
  print: FuzzOptions["print"],
): Promise<void> {
  const startedMs = performance.now();
  await one.run(scene);
  print(`${((performance.now() - startedMs) / 1_000).toFixed(1).padStart(6)} s  ${one.name}`);
  if (bystander.failures.length > 0) {
    throw new Error(`a client failed under ${one.name}: ${bystander.failures.join("; ")}`);
  }
  const ends = [scene.cluster, scene.victim].flatMap((cluster) => cluster.unexpectedEnds());
  if (ends.length > 0) {
    throw new Error(`a process ended under: ${one.name}`);
  }
}

async function holdingsOfAll(
  processes: readonly ManagedProcess[],
): Promise<ReadonlyMap<ManagedProcess, Holdings>> {
  const all = new Map<ManagedProcess, Holdings>();
  for (const process of processes) {
    all.set(process, await holdingsOf(process));
  }
  return all;
}

async function compare(
  before: ReadonlyMap<ManagedProcess, Holdings>,
  findings: Set<string>,
  print: FuzzOptions["print"],
): Promise<void> {
  for (const [process, held] of before) {
    const now = await settled(process, held);
    if (typeof now === "string") {
      findings.add(now);
    } else {
      print(`${process.plan.name}: ${describe(now)} in the end, ${describe(held)} before`);
    }
  }
}
