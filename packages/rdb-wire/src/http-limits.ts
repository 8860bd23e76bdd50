import type { Server } from "node:http";

/** What a port of HTTP/1.1 lets its callers have. */
export interface HttpLimits {
  /** Connections at one time; one more is closed unread. */
  readonly httpConnectionMaxCount: number;
  /** A request, headers and body, has to be here in this time; Node answers 408 else. */
  readonly httpRequestTimeoutMs: number;
}

/** To be called before it listens. */
export function limitHttp(
  server: Server,
  { httpConnectionMaxCount, httpRequestTimeoutMs }: HttpLimits,
): void {
  server.maxConnections = httpConnectionMaxCount;
  server.requestTimeout = httpRequestTimeoutMs;
  server.headersTimeout = httpRequestTimeoutMs;
}
