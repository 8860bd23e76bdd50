import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { AssertionError, type Logger, RdbError } from "@flaredb/rdb-base";
import { toConnectError } from "./error-mapping.ts";

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
