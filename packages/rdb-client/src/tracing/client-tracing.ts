import { RdbError } from "@flaredb/rdb-base";
import type { ClientContext } from "../call-context.ts";
import { CallTrace } from "./call-trace.ts";
import { SafeTracer } from "./safe-tracer.ts";
import type { TracingOptions } from "./trace-api.ts";

/** Makes a span of each call of a client. Only made when the client is told to trace. */
export class ClientTracing {
  readonly #tracer: SafeTracer;

  constructor(options: TracingOptions) {
    this.#tracer = new SafeTracer(options);
  }

  /** Makes the call within a span; its requests are attempts in there when it is recorded. */
  async run<Result>(
    operation: string,
    context: ClientContext,
    call: (context: ClientContext) => Promise<Result>,
  ): Promise<Result> {
    const trace = CallTrace.begin(this.#tracer, operation);
    try {
      const result = await call(trace === undefined ? context : traced(context, trace));
      trace?.end();
      return result;
    } catch (error) {
      const failure = RdbError.from(error);
      trace?.end(failure);
      throw failure;
    }
  }

  /** As `run`, of what is iterated: from its first step to its last, or until it is left. */
  async *iterate<Item>(
    operation: string,
    context: ClientContext,
    call: (context: ClientContext) => AsyncGenerator<Item, void, undefined>,
  ): AsyncGenerator<Item, void, undefined> {
    const trace = CallTrace.begin(this.#tracer, operation);
    let failure: RdbError | undefined;
    try {
      yield* call(trace === undefined ? context : traced(context, trace));
    } catch (error) {
      failure = RdbError.from(error);
      throw error;
    } finally {
      trace?.end(failure);
    }
  }
}

function traced(context: ClientContext, trace: CallTrace): ClientContext {
  const { sender } = context;
  return { ...context, sender: { send: (spec) => sender.send(spec, trace.request()) } };
}
