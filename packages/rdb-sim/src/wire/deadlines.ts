import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import type { Clock } from "@flaredb/rdb-base";

/** Ends calls in time by the caller's own clock; connect's timers, which are real ones, never see a timeout. */
export function withDeadlines(transport: Transport, clock: Clock): Transport {
  return {
    async unary(method, signal, timeoutMs, header, input, contextValues) {
      const deadline = startDeadline(clock, signal, timeoutMs);
      try {
        return await transport.unary(method, deadline.signal, undefined, header, input, contextValues);
      } finally {
        deadline.end();
      }
    },
    async stream(method, signal, timeoutMs, header, input, contextValues) {
      const deadline = startDeadline(clock, signal, timeoutMs);
      try {
        const response = await transport.stream(
          method,
          deadline.signal,
          undefined,
          header,
          input,
          contextValues,
        );
        return { ...response, message: endedWith(response.message, deadline.end) };
      } catch (error) {
        deadline.end();
        throw error;
      }
    },
  };
}

interface Deadline {
  readonly signal: AbortSignal | undefined;
  readonly end: () => void;
}

function startDeadline(
  clock: Clock,
  signal: AbortSignal | undefined,
  timeoutMs: number | undefined,
): Deadline {
  if (timeoutMs === undefined || timeoutMs <= 0) {
    return { signal, end: () => {} };
  }
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal?.reason);
  if (signal?.aborted === true) {
    abort();
  }
  signal?.addEventListener("abort", abort);
  const timer = clock.setTimer(timeoutMs, () =>
    controller.abort(new ConnectError("the operation timed out", Code.DeadlineExceeded)),
  );
  return {
    signal: controller.signal,
    end: () => {
      timer.cancel();
      signal?.removeEventListener("abort", abort);
    },
  };
}

async function* endedWith<Message>(
  messages: AsyncIterable<Message>,
  end: () => void,
): AsyncIterable<Message> {
  try {
    yield* messages;
  } finally {
    end();
  }
}
