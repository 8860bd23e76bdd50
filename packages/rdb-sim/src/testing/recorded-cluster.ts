import { silentLogger } from "@flaredb/rdb-base";
import { ClusterInvariants } from "../check/cluster-invariants.ts";
import { History } from "../check/history.ts";
import type { Violation } from "../check/violation.ts";
import { SimCluster } from "../cluster/sim-cluster.ts";
import { type ClusterShape, drawShape } from "../faults/cluster-shape.ts";
import { streamOf } from "../faults/plan.ts";
import { CallRecorder } from "../workload/call-recorder.ts";
import { RecordedClient } from "../workload/recorded-client.ts";

/** Nothing is small and nothing goes wrong. */
function quietShape(seed: number): ClusterShape {
  const drawn = drawShape(streamOf(seed, "shape"));
  return {
    ...drawn,
    ...{ storeCount: 3, replicaCount: 3, regionCount: 3, clientCount: 2, callTimeoutMs: 5_000 },
    clocks: Array.from({ length: 8 }, () => ({ rate: 1, wallOffsetMs: 0 })),
    limits: {
      ...drawn.limits,
      proposalQueueMaxCount: 16_384,
      readQueueMaxCount: 65_536,
      entryMaxBytes: 4_096,
    },
  };
}

/** A cluster of three Stores and Regions that begin at "", "k2" and "k4", which serves, and what its clients do. */
export class RecordedCluster {
  readonly history = new History();
  /** What was broken, as it happened. */
  readonly violations: Violation[] = [];
  readonly cluster: SimCluster;
  readonly #recorder = new CallRecorder({
    history: this.history,
    nowNs: () => Math.round(this.cluster.clock.monotonicMs() * 1e6),
  });

  private constructor(seed: number) {
    this.cluster = new SimCluster({
      shape: quietShape(seed),
      splitKeys: ["k2", "k4"],
      randomOf: (purpose) => streamOf(seed, purpose),
      loggerOf: () => silentLogger,
      recorderOf: () => this.#recorder,
      invariants: new ClusterInvariants((violation) => this.violations.push(violation)),
      watcher: {
        processEvent() {},
        diskEvent() {},
        faultEvent() {},
        processFailed(name, doing, error) {
          throw new Error(`${name} failed to ${doing}`, { cause: error });
        },
      },
    });
  }

  static async start(seed: number): Promise<RecordedCluster> {
    const made = new RecordedCluster(seed);
    const { cluster } = made;
    cluster.start();
    cluster.judge.process.start();
    const serves = (): boolean =>
      cluster.isWell && [0, 1, 2].every((region) => cluster.leaderOf(region) !== undefined);
    if (!(await cluster.clock.runUntil(serves, 20_000))) {
      throw new Error("the cluster does not serve");
    }
    return made;
  }

  /** One recorded client in each client process. */
  clients(purpose: string): RecordedClient[] {
    return this.cluster.clients.map(
      ({ name, process }) =>
        new RecordedClient({
          name: `${name}.${purpose}`,
          recorder: this.#recorder,
          client: () => process.running,
        }),
    );
  }
}
