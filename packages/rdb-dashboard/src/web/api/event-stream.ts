import { authorization, send } from "./client.ts";
import { EventTextParser, type StreamEvent } from "./event-text.ts";
import { ApiError } from "./problem.ts";

/** How the stream does. */
export type StreamState = "connecting" | "live" | "broken";

const RETRY_MS = 1_000;

/**
 * Watches what happens, and again when the stream breaks. By `fetch`, because a browser's own EventSource cannot send a
 * token.
 *
 * @returns ends it
 */
export function watchEvents(
  onEvent: (event: StreamEvent) => void,
  onState: (state: StreamState) => void,
): () => void {
  const stop = new AbortController();
  void watch(stop.signal, onEvent, onState);
  return () => stop.abort();
}

/** Never rejects. */
async function watch(
  signal: AbortSignal,
  onEvent: (event: StreamEvent) => void,
  onState: (state: StreamState) => void,
): Promise<void> {
  onState("connecting");
  try {
    const response = await send("/events", { headers: authorization(), signal });
    const parser = new EventTextParser();
    onState("live");
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let piece = await reader?.read(); piece?.done === false; piece = await reader?.read()) {
      parser.take(piece.value).forEach(onEvent);
    }
  } catch (error) {
    if (signal.aborted) {
      return;
    }
    if (!(error instanceof ApiError) && !(error instanceof TypeError)) {
      throw error;
    }
  }
  if (!signal.aborted) {
    onState("broken");
    setTimeout(() => {
      if (!signal.aborted) {
        void watch(signal, onEvent, onState);
      }
    }, RETRY_MS);
  }
}
