import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";

/**
 * A connection that the server sends away (it stops, or the connection was idle for long) may carry a call that it has
 * not seen: HTTP/2 says so of its stream, and connect takes it for a fault of the program. Nothing was done of such a
 * call, so a unary one is made again, once, on another connection; a stream's owner is told that nobody was reached.
 */
export const askAgainIfRefused: Interceptor = (next) => async (request) => {
  try {
    return await next(request);
  } catch (error) {
    if (!wasRefused(error) || request.signal.aborted) {
      throw error;
    }
    if (!request.stream) {
      return next(request);
    }
    throw new ConnectError(
      "the server is not taking calls on this connection any more",
      Code.Unavailable,
      undefined,
      undefined,
      error,
    );
  }
};

function wasRefused(error: unknown): boolean {
  const { cause } = ConnectError.from(error);
  return cause instanceof Error && cause.message.includes("NGHTTP2_REFUSED_STREAM");
}
