import { useCallback, useEffect, useState } from "preact/hooks";
import { ask } from "./client.ts";
import { ApiError } from "./problem.ts";

/** Answers that are kept so that a page that is opened again shows them at once. */
const CACHE_MAX_COUNT = 50;
const cache = new Map<string, { readonly answer: unknown; readonly atMs: number }>();

/** What is known of an answer. */
export interface Asked<Answer> {
  /** The last one, also when later ones failed; undefined until the first. */
  readonly data: Answer | undefined;
  /** Why the last attempt failed. */
  readonly error: ApiError | undefined;
  /** When `data` came: milliseconds since 1970. */
  readonly atMs: number;
  /** Asks again now. */
  readonly refresh: () => void;
}

/**
 * Asks PD, and again every `everyMs` as long as the page is seen.
 *
 * @param path below `/api/v1`; undefined: nothing is asked
 * @param everyMs default: once
 */
export function useApi<Answer>(path: string | undefined, everyMs?: number): Asked<Answer> {
  const [turn, setTurn] = useState(0);
  const [state, setState] = useState<{ path: string | undefined; error: ApiError | undefined; turn: number }>(
    {
      path,
      error: undefined,
      turn: 0,
    },
  );
  useEffect(() => {
    if (path === undefined) {
      return;
    }
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      if (document.hidden) {
        timer = setTimeout(look, everyMs);
        return;
      }
      try {
        keep(path, await ask<Answer>(path, { signal: stop.signal }));
        setState((before) => ({ path, error: undefined, turn: before.turn + 1 }));
      } catch (error) {
        if (stop.signal.aborted) {
          return;
        }
        const known = error instanceof ApiError ? error : new ApiError(0, "", String(error));
        setState((before) => ({ path, error: known, turn: before.turn + 1 }));
      }
      if (everyMs !== undefined && !stop.signal.aborted) {
        timer = setTimeout(look, everyMs);
      }
    };
    void look();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [path, everyMs, turn]);
  const refresh = useCallback(() => setTurn((before) => before + 1), []);
  const known = path === undefined ? undefined : cache.get(path);
  return {
    data: known?.answer as Answer | undefined,
    error: state.path === path ? state.error : undefined,
    atMs: known?.atMs ?? 0,
    refresh,
  };
}

function keep(path: string, answer: unknown): void {
  cache.delete(path);
  cache.set(path, { answer, atMs: Date.now() });
  const [oldest] = cache.keys();
  if (cache.size > CACHE_MAX_COUNT && oldest !== undefined) {
    cache.delete(oldest);
  }
}
