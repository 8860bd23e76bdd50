import { ProcessMetrics, metricSource, pdTable, renderMetrics } from "@flaredb/rdb-metrics";
import type { RunningPd } from "../run-pd.ts";
import { PROGRAM_VERSION } from "../version.ts";
import { fillClusterGauges, fillMemberGauges } from "./pd-gauges.ts";
import { makePdMetrics } from "./pd-metrics.ts";

/** What the process of a PD shows at `/metrics`: from its first moment of itself, and of PD once it serves or follows. */
export class ProcessWatch {
  readonly metrics = makePdMetrics();
  readonly #process = new ProcessMetrics({ program: "rdb-pd", version: PROGRAM_VERSION });
  #pd: Pick<RunningPd, "group" | "driver"> | undefined;

  /** What the process's ports count of their callers with. */
  get listen(): ProcessMetrics["listen"] {
    return this.#process.listen;
  }

  /** Begins to watch the process. Idempotent; keeps it not alive. */
  start(): void {
    this.#process.start();
  }

  show(pd: Pick<RunningPd, "group" | "driver">): void {
    this.#pd = pd;
  }

  async render(): Promise<string> {
    const pd = this.#pd;
    const shown = pd && metricSource(pdTable, this.metrics, () => this.#fill(pd));
    return renderMetrics(shown === undefined ? [this.#process] : [this.#process, shown]);
  }

  stop(): void {
    this.#process.stop();
  }

  #fill(pd: Pick<RunningPd, "group" | "driver">): void {
    fillMemberGauges(this.metrics, pd.group);
    fillClusterGauges(this.metrics, pd.group.isServing ? pd.driver : undefined);
  }
}
