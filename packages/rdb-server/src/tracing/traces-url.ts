/** OTLP's path for spans, where a collector has no other. */
const TRACES_PATH = "/v1/traces";

/** @param endpoint as `tracing.endpoint`, a URL */
export function tracesUrl(endpoint: string): string {
  const url = new URL(endpoint);
  if (url.pathname === "/") {
    url.pathname = TRACES_PATH;
  }
  return url.href;
}
