import { SeededRandom } from "@flaredb/rdb-base";
import { RdbClient } from "../client.ts";
import type { ConnectOptions } from "../options.ts";
import type { AnswerListener } from "../ports.ts";
import { FakeCluster } from "./fake-cluster.ts";
import { ManualClock } from "./manual-clock.ts";

/** A fake cluster with a connected client, on a manual clock. */
export interface Scene {
  readonly clock: ManualClock;
  readonly cluster: FakeCluster;
  readonly client: RdbClient;
  /** Lets time pass until the call ended. */
  until<Value>(call: Promise<Value>): Promise<Value>;
  /** Lets time pass until the call failed, and gives how. */
  failure(call: Promise<unknown>): Promise<unknown>;
}

/** @param prepare what is different from a healthy cluster already when the client connects */
export async function scene(
  options: {
    readonly splitKeys?: string[];
    readonly storeCount?: number;
    readonly seed?: number;
    readonly connect?: Partial<ConnectOptions>;
    readonly onAnswer?: AnswerListener;
  } = {},
  prepare: (cluster: FakeCluster) => void = () => {},
): Promise<Scene> {
  const clock = new ManualClock();
  const cluster = new FakeCluster(clock, options);
  prepare(cluster);
  const until = <Value>(call: Promise<Value>): Promise<Value> => clock.until(call);
  const client = await until(
    RdbClient.connectWith(
      { pd: ["pd-1:7400"], ...options.connect },
      {
        clock,
        random: new SeededRandom(options.seed ?? 1),
        stores: cluster.storeConnector,
        pd: cluster.pdConnector,
        onAnswer: options.onAnswer,
      },
    ),
  );
  return {
    clock,
    cluster,
    client,
    until,
    failure: async (call) => {
      const outcome = await until(call.then((value) => ({ value })).catch((error: unknown) => ({ error })));
      if (!("error" in outcome)) {
        throw new Error(`call succeeded: ${JSON.stringify(outcome.value)}`);
      }
      return outcome.error;
    },
  };
}
