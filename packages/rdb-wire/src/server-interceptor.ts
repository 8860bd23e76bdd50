import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { AssertionError, type Logger, RdbError } from "@flaredb/rdb-base";
import { toConnectError } from "./error-mapping.ts";

/** What Node says when the other side of a stream is gone: nobody is left to hear an answer. */
const GONE: ReadonlySet<unknown> = new Set([
  "ERR_HTTP2_GOAWAY_SESSION",
  "ERR_HTTP2_INVALID_SESSION",
  "ERR_HTTP2_INVALID_STREAM",
  "ERR_HTTP2_SESSION_ERROR",
  "ERR_HTTP2_STREAM_CANCEL",
  "ERR_HTTP2_STREAM_ERROR",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_STREAM_WRITE_AFTER_END",
]);

/**
 * Sends what a service's handler throws as the status that our clients understand. A broken invariant is not an
 * answer: it ends the process, as everywhere.
 *
 * @param setImmediate runs what ends the process outside of the call; the simulator's own in the simulator
 */
export function rdbErrorInterceptor(
  logger: Logger,
  setImmediate: (callback: () => void) => void = globalThis.setImmediate,
): Interceptor {
  const translate = (error: unknown, method: string): ConnectError => {
    if (error instanceof AssertionError) {
      setImmediate(() => {
        throw error;
      });
    } else if (isGone(error)) {
      logger.debug({ method, reason: error.message }, "the caller went away");
      return new ConnectError("the caller went away", Code.Canceled, undefined, undefined, error);
    } else if (!(error instanceof RdbError) && !(error instanceof ConnectError)) {
      logger.error({ method, error }, "request failed by a fault of the program");
    }
    return toConnectError(error);
  };
  return (next) => async (request) => {
    const method = request.method.name;
    try {
      const response = await next(request);
      if (!response.stream) {
        return response;
      }
      return { ...response, message: translated(response.message, (error) => translate(error, method)) };
    } catch (error) {
      throw translate(error, method);
    }
  };
}

function isGone(error: unknown): error is Error {
  return error instanceof Error && "code" in error && GONE.has(error.code);
}

async function* translated<Message>(
  messages: AsyncIterable<Message>,
  translate: (error: unknown) => ConnectError,
): AsyncIterable<Message> {
  try {
    yield* messages;
  } catch (error) {
    throw translate(error);
  }
}
