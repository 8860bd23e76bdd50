import type { Logger } from "@flaredb/rdb-base";
import type { SpanExporter } from "@opentelemetry/sdk-trace";

/** Counts what waits to be sent, and tells once when a collector stops to take spans, and once when it does again. */
export class WatchedExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #logger: Logger;
  readonly #url: string;
  #isFailing = false;
  #leftOutCount = 0;
  /** Spans that were made and not handed to the network. Whoever makes them adds them. */
  waitingCount = 0;

  constructor(exporter: SpanExporter, logger: Logger, url: string) {
    this.#exporter = exporter;
    this.#logger = logger;
    this.#url = url;
  }

  /** So many found no room. */
  leftOut(count: number): void {
    if (this.#leftOutCount === 0) {
      this.#logger.warn(
        { collector: this.#url, waiting: this.waitingCount },
        "spans are left out: too many wait",
      );
    }
    this.#leftOutCount += count;
  }

  export(...[spans, done]: Parameters<SpanExporter["export"]>): void {
    this.waitingCount -= spans.length;
    this.#exporter.export(spans, (result) => {
      this.#tell(result.error, spans.length);
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  #tell(error: Error | undefined, count: number): void {
    const fields = { collector: this.#url, spans: count };
    if (error === undefined) {
      if (this.#isFailing || this.#leftOutCount > 0) {
        this.#logger.info({ ...fields, leftOut: this.#leftOutCount }, "the collector takes spans again");
      }
      this.#isFailing = false;
      this.#leftOutCount = 0;
    } else if (!this.#isFailing) {
      this.#isFailing = true;
      this.#logger.warn(
        { ...fields, reason: error.message },
        "the collector does not take spans: they are let go",
      );
    }
  }
}
