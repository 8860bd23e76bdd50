import type { KvRequest, KvResponse } from "@flaredb/rdb-proto";
import { type WatchedCall, WatchedCaller } from "../metrics/request-watch.ts";
import type { ServedBy } from "../peer/proposal-queue.ts";
import type { RequestContext, RequestTracing } from "./request-tracing.ts";
import { stagesOf } from "./stages.ts";

/** Who waits for the answer to a traced request. A class of its own, so that all others are no larger for it. */
export class TracedCaller extends WatchedCaller {
  readonly #tracing: RequestTracing;
  readonly #context: RequestContext;
  #servedBy: ServedBy | undefined;

  constructor(
    traced: { readonly tracing: RequestTracing; readonly context: RequestContext },
    call: WatchedCall,
    request: Pick<KvRequest, "requestId" | "command">,
    waits: { readonly deadlineMs: number; readonly respond: (response: KvResponse) => void },
  ) {
    super(call, request, waits.deadlineMs, waits.respond);
    this.#tracing = traced.tracing;
    this.#context = traced.context;
  }

  override get traceId(): string {
    return this.#context.traceId;
  }

  readBy(by: ServedBy): void {
    this.#servedBy = by;
  }

  override respond(response: KvResponse): void {
    const { regionId, kind, arrivedMs, timeline, servedMs } = this;
    const { result } = response;
    const answeredMs = this.#tracing.nowMs();
    this.#tracing.answered(this.#context, {
      ...{ regionId, kind, arrivedMs, answeredMs },
      error: result.case === "error" ? result.value : undefined,
      stages: stagesOf({ arrivedMs, timeline, servedMs, servedBy: this.#servedBy }, answeredMs),
    });
    super.respond(response);
  }
}
