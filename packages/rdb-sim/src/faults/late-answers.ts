import type { Random } from "@flaredb/rdb-base";
import type { ClusterShape } from "./cluster-shape.ts";
import type { FaultyCluster } from "./injector.ts";
import { Stage, rolesIn } from "./stage.ts";

/**
 * What the other Stores answer a leader comes later and later; then nothing of the leader reaches them any more, and what
 * they answered before is still arriving when they elect another one. Whatever it takes those answers for, they tell of a
 * time that is long over.
 */
export interface LateAnswers {
  readonly kind: "late-answers";
  readonly region: number;
  /** How much later they come with each step. Less than a leader waits for a quorum before it gives up. */
  readonly stepMs: number;
  readonly stepCount: number;
  /** When the leader is heard no more. By then the latest answers are under way. */
  readonly leadMs: number;
  /** The clients that then cannot reach it, a bit each: they find its successor. */
  readonly clients: number;
}

/** Between the arrival of what is late and the next step, for the leader to hear enough. */
const SETTLE_MS = 200;

export function drawLateAnswers(random: Random, { regionCount, clientCount }: ClusterShape): LateAnswers {
  const stepMs = 300 + random.nextInt(400);
  const stepCount = 1 + random.nextInt(3);
  return {
    kind: "late-answers",
    region: random.nextInt(regionCount),
    ...{ stepMs, stepCount },
    leadMs: stepCount * (stepMs + SETTLE_MS) + random.nextInt(1_500),
    clients: 1 + random.nextInt(2 ** clientCount - 2),
  };
}

/** @returns ends it */
export function beginLateAnswers(cluster: FaultyCluster, fault: LateAnswers): () => void {
  const stage = new Stage(cluster);
  const { leader, others } = rolesIn(cluster, fault.region);
  const { stepMs: delayMs } = fault;
  const slowDown = (): void => {
    for (const { name } of others) {
      stage.add(cluster.addNetworkFault({ kind: "slow-link", from: name, to: leader.name, delayMs }));
    }
  };
  slowDown();
  for (let step = 1; step < fault.stepCount; step++) {
    stage.after(step * (delayMs + SETTLE_MS), slowDown);
  }
  stage.after(fault.leadMs, () => {
    others.forEach((other) => stage.cut(leader, other));
    stage.cutClients(leader, fault.clients);
  });
  return () => stage.end();
}
