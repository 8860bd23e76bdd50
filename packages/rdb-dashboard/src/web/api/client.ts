import { ApiError, errorOf } from "./problem.ts";
import { session } from "./session.ts";

const BASE = "/api/v1";
/** After so long PD is taken for gone. */
const TIMEOUT_MS = 15_000;

interface RequestOptions {
  readonly method?: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/**
 * Asks PD's admin API.
 *
 * @param path below `/api/v1`
 * @throws ApiError what PD refuses, or that it does not answer
 */
export async function ask<Answer>(
  path: string,
  { method = "GET", body, signal }: RequestOptions = {},
): Promise<Answer> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const response = await send(path, {
    method,
    headers: {
      ...authorization(),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  });
  return (await response.json()) as Answer;
}

/** The answer of a request that PD takes. The headers carry the token. */
export async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`${BASE}${path}`, { ...init, redirect: "manual", cache: "no-store" });
  } catch (error) {
    if (init.signal?.reason instanceof DOMException && init.signal.reason.name === "AbortError") {
      throw error;
    }
    throw new ApiError(0, "", "the placement driver does not answer");
  }
  if (response.type === "opaqueredirect") {
    // This member leads no more: its page sends the browser to the one that does.
    location.reload();
    throw new ApiError(307, "RDB_NOT_LEADER", "another member of the placement driver leads now");
  }
  if (response.status === 401) {
    session.wantsToken();
  }
  if (!response.ok) {
    throw await errorOf(response);
  }
  return response;
}

/** The header with the token, where there is one. */
export function authorization(): Record<string, string> {
  return session.token === "" ? {} : { authorization: `Bearer ${session.token}` };
}

/** A path with a query; what is undefined or empty is left out. */
export function withQuery(
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
): string {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined || value === "" ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}
