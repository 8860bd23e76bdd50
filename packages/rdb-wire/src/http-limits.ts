import type { Server } from "node:http";

/** What a port of HTTP/1.1 lets its callers have. */
export interface HttpLimits {
  /** Connections at one time; one more is closed unread. */
  readonly httpConnectionMaxCount: number;
  /** A request, headers and body, has to be here in this time; Node answers 408 else. */
  readonly httpRequestTimeoutMs: number;
}

/**
 * To be called before it listens.
 *
 * @param dropped counts the connections that are closed unread
 */
export function limitHttp(
  server: Server,
  { httpConnectionMaxCount, httpRequestTimeoutMs }: HttpLimits,
  dropped?: { value: number },
): void {
  server.maxConnections = httpConnectionMaxCount;
  server.requestTimeout = httpRequestTimeoutMs;
  server.headersTimeout = httpRequestTimeoutMs;
  if (dropped !== undefined) {
    server.on("drop", () => {
      dropped.value++;
    });
  }
}
