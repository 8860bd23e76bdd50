import { ProcessMetrics, metricSource, renderMetrics, storeTable } from "@flaredb/rdb-metrics";
import { PROGRAM_VERSION } from "../version.ts";
import { type StoreMetrics, makeStoreMetrics } from "./store-metrics.ts";

/** What the process of a Store shows at `/metrics`: from its first moment of itself, and of the Store once it serves. */
export class ProcessWatch {
  readonly metrics: StoreMetrics = makeStoreMetrics();
  readonly #process = new ProcessMetrics({ program: "rdb-server", version: PROGRAM_VERSION });
  #store: { fillGauges(): Promise<void> } | undefined;

  /** What the process's ports count of their callers with. */
  get listen(): ProcessMetrics["listen"] {
    return this.#process.listen;
  }

  /** Begins to watch the process. Idempotent; keeps it not alive. */
  start(): void {
    this.#process.start();
  }

  /** The Store serves; undefined: it does not any more. */
  show(store: { fillGauges(): Promise<void> } | undefined): void {
    this.#store = store;
  }

  async render(): Promise<string> {
    const store = this.#store;
    const shown = store && metricSource(storeTable, this.metrics, () => store.fillGauges());
    return renderMetrics(shown === undefined ? [this.#process] : [this.#process, shown]);
  }

  stop(): void {
    this.#process.stop();
  }
}
