import { CallRecorder, type History, RecordedClient } from "@flaredb/rdb-sim/history";
import type { ChaosCluster } from "./chaos-cluster.ts";

const NS_PER_MS = 1_000_000;

/** Times of all calls, of one clock. */
function nowNs(): number {
  return Math.round(performance.now() * NS_PER_MS);
}

/** A client with a connection of its own that is kept through all rounds; each round has a history of its own. */
export class HistoryClient {
  readonly #name: string;
  readonly #connection: Awaited<ReturnType<ChaosCluster["connect"]>>;
  readonly #recorder: { now: CallRecorder | undefined };

  static async connect(cluster: ChaosCluster, name: string, deadlineMs: number): Promise<HistoryClient> {
    const recorder: { now: CallRecorder | undefined } = { now: undefined };
    const connection = await cluster.connect(deadlineMs, (trace) => recorder.now?.onAnswer(trace));
    return new HistoryClient(name, connection, recorder);
  }

  private constructor(
    name: string,
    connection: Awaited<ReturnType<ChaosCluster["connect"]>>,
    recorder: { now: CallRecorder | undefined },
  ) {
    this.#name = name;
    this.#connection = connection;
    this.#recorder = recorder;
  }

  /** From now on its calls are noted in `history`. Only while none is under way. */
  recordedIn(history: History): RecordedClient {
    const recorder = new CallRecorder({ history, nowNs });
    this.#recorder.now = recorder;
    return new RecordedClient({ name: this.#name, recorder, client: () => this.#connection });
  }
}
