import { PerformanceObserver, constants, performance } from "node:perf_hooks";
import { type MetricSource, metricSource } from "./exposition.ts";
import { type Instruments, makeInstruments } from "./instruments.ts";
import { processTable } from "./process-table.ts";

export interface ProcessMetricsOptions {
  /** `rdb-server` or `rdb-pd`. */
  readonly program: string;
  readonly version: string;
}

/** How often the loop is looked at. */
const SAMPLE_INTERVAL_MS = 100;

/** What every process shows of itself. Begins to watch the event loop and the garbage collector with `start`. */
export class ProcessMetrics implements MetricSource {
  readonly #instruments = makeInstruments(processTable);
  readonly #source: MetricSource;
  #observer: PerformanceObserver | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor({ program, version }: ProcessMetricsOptions) {
    this.#instruments.buildInfo.of(program, version, process.versions.node).value = 1;
    this.#source = metricSource(processTable, this.#instruments, () => this.#refresh());
  }

  /** What the process's ports count of their callers with. */
  get listen(): Pick<
    Instruments<typeof processTable>,
    "connections" | "connectionsCut" | "fullConnections" | "httpConnectionsDropped"
  > {
    return this.#instruments;
  }

  /** Idempotent. Keeps no process alive. */
  start(): void {
    if (this.#timer !== undefined) {
      return;
    }
    this.#observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        this.#instruments.gc[gcKind(entry)].observeMs(entry.duration);
      }
    });
    this.#observer.observe({ entryTypes: ["gc"] });
    let dueMs = performance.now() + SAMPLE_INTERVAL_MS;
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      this.#instruments.eventLoopDelay.observeMs(Math.max(0, nowMs - dueMs));
      dueMs = nowMs + SAMPLE_INTERVAL_MS;
    }, SAMPLE_INTERVAL_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#observer?.disconnect();
  }

  render(): Promise<string> {
    return this.#source.render();
  }

  #refresh(): void {
    const { startTime, cpu, residentMemory, heap, externalMemory, eventLoopActive } = this.#instruments;
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    startTime.value = Math.round(performance.timeOrigin) / 1000;
    cpu.value = (user + system) / 1_000_000;
    residentMemory.value = rss;
    heap.used.value = heapUsed;
    heap.reserved.value = heapTotal;
    externalMemory.value = external;
    eventLoopActive.value = performance.eventLoopUtilization().active / 1000;
  }
}

function gcKind(entry: object): "minor" | "major" | "incremental" | "weak" {
  const detail = "detail" in entry ? (entry.detail as { readonly kind?: number } | undefined) : undefined;
  switch (detail?.kind) {
    case constants.NODE_PERFORMANCE_GC_MAJOR:
      return "major";
    case constants.NODE_PERFORMANCE_GC_INCREMENTAL:
      return "incremental";
    case constants.NODE_PERFORMANCE_GC_WEAKCB:
      return "weak";
    default:
      return "minor";
  }
}
