import { type Server, createServer } from "node:http";
import { json } from "node:stream/consumers";
import type { AddressInfo } from "node:net";

/** A span as OTLP's JSON has it; times are nanoseconds since 1970. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: Pick<CollectedSpan, "attributes">;
    readonly scopeSpans: readonly { readonly spans: readonly CollectedSpan[] }[];
  }[];
}

/** Takes spans by OTLP over HTTP, as JSON, and keeps them. */
export class Collector {
  readonly spans: CollectedSpan[] = [];
  /** Of every process that sent some. */
  readonly resources: Record<string, unknown>[] = [];
  requestCount = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.requestCount++;
      void json(request).then((body) => {
        this.#take(body as ExportRequest);
        response.setHeader("content-type", "application/json").end("{}");
      });
    });
  }

  static async start(): Promise<Collector> {
    const collector = new Collector();
    await new Promise<void>((resolve) => collector.#server.listen(0, "127.0.0.1", resolve));
    return collector;
  }

  /** As `tracing.endpoint`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  ofTrace(traceId: string): CollectedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #take({ resourceSpans }: ExportRequest): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      this.resources.push(attributesOf(resource));
      this.spans.push(...scopeSpans.flatMap(({ spans }) => spans));
    }
  }
}

/** The attributes by name, each with the value of whichever type it has. */
export function attributesOf({ attributes }: Pick<CollectedSpan, "attributes">): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
