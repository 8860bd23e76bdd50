import { silentLogger } from "@flaredb/rdb-base";
import { RdbClient } from "@flaredb/rdb-client";
import { ProcessClock } from "@flaredb/rdb-server/testing";
import { History } from "../check/history.ts";
import { SimCluster } from "../cluster/sim-cluster.ts";
import { RPC_PORT } from "../cluster/store-program.ts";
import { type ClusterShape, drawShape } from "../faults/cluster-shape.ts";
import { streamOf } from "../faults/plan.ts";
import { SimWire } from "../wire/sim-wire.ts";
import { CallRecorder } from "../workload/call-recorder.ts";
import type { Application } from "../workload/workload-mix.ts";

/** Nothing is small and nothing goes wrong. */
function quietShape(seed: number): ClusterShape {
  const drawn = drawShape(streamOf(seed, "shape"));
  return {
    ...drawn,
    ...{ storeCount: 3, replicaCount: 3, regionCount: 3, clientCount: 1, callTimeoutMs: 5_000 },
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
  readonly cluster: SimCluster;
  readonly #seed: number;

  private constructor(seed: number) {
    this.#seed = seed;
    this.cluster = new SimCluster({
      shape: quietShape(seed),
      splitKeys: ["k2", "k4"],
      randomOf: (purpose) => streamOf(seed, purpose),
      loggerOf: () => silentLogger,
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
    const serves = (): boolean =>
      cluster.isWell && [0, 1, 2].every((region) => cluster.leaderOf(region) !== undefined);
    if (!(await cluster.clock.runUntil(serves, 20_000))) {
      throw new Error("the cluster does not serve");
    }
    return made;
  }

  /** A process with a production client. */
  async application(name: string): Promise<Application> {
    const { clock, net } = this.cluster;
    const process = new ProcessClock(clock);
    const recorder = new CallRecorder({
      history: this.history,
      nowNs: () => Math.round(clock.monotonicMs() * 1e6),
    });
    const connected = RdbClient.connectOver(
      { pd: `pd:${RPC_PORT}` },
      {
        clock: process,
        random: streamOf(this.#seed, name),
        wire: new SimWire({ net, host: name, process }),
        onAnswer: recorder.onAnswer,
      },
    );
    const client = await clock.complete(connected, 10_000);
    return { name, recorder, client: () => client };
  }
}
