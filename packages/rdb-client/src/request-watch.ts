import { type Clock, type ErrorCode, RdbError } from "@flaredb/rdb-base";
import type { CallWatch } from "./call-watch.ts";
import type { ClientHooks } from "./hooks.ts";
import type { KvCall } from "./kv-call.ts";

/** Reasons of retries that one request keeps. */
const REASONS_MAX_COUNT = 64;

/** The hooks of a client, made safe to call. */
export class HookCaller {
  readonly #hooks: ClientHooks;
  readonly #clock: Clock;
  /** Hooks that failed and were told of. */
  readonly #warned = new Set<keyof ClientHooks>();

  constructor(hooks: ClientHooks, clock: Clock) {
    this.#hooks = hooks;
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  call<Name extends keyof ClientHooks>(
    name: Name,
    event: Parameters<NonNullable<ClientHooks[Name]>>[0],
  ): void {
    const hook = this.#hooks[name] as ((event: unknown) => unknown) | undefined;
    try {
      const returned = hook?.call(this.#hooks, event);
      if (returned instanceof Promise) {
        // A hook may be an async function all the same.
        returned.catch((error: unknown) => this.#warn(name, error));
      }
    } catch (error) {
      this.#warn(name, error);
    }
  }

  #warn(name: keyof ClientHooks, error: unknown): void {
    if (!this.#warned.has(name)) {
      this.#warned.add(name);
      const message = `hook ${name} of a FlareDB client failed, and is not told of again: ${RdbError.from(error).message}`;
      process.emitWarning(message, { code: "RDB_HOOK_FAILED" });
    }
  }
}

/** One request as the hooks see it. Only made when there are hooks. */
export class RequestWatch implements CallWatch {
  readonly #hooks: HookCaller;
  readonly #startMs: number;
  readonly #retries: ErrorCode[] = [];
  #attemptCount = 0;
  readonly traceContext = undefined;

  constructor(hooks: HookCaller) {
    this.#hooks = hooks;
    this.#startMs = hooks.nowMs();
  }

  /** Right before the call is given to its Store. */
  attempt(call: KvCall): void {
    this.#attemptCount++;
    if (this.#attemptCount === 1) {
      return;
    }
    const reason = call.lastError?.code ?? "RDB_INTERNAL";
    if (this.#retries.length < REASONS_MAX_COUNT) {
      this.#retries.push(reason);
    }
    this.#hooks.call("onRetry", {
      operation: call.spec.name,
      attempt: this.#attemptCount,
      reason,
      elapsedMs: this.#hooks.nowMs() - this.#startMs,
      regionId: call.entry?.region.id,
      storeId: call.storeId,
    });
  }

  /** Told with the next attempt, or the end. */
  failed(): void {}

  /** The request ended, by an answer or an error. */
  end(call: KvCall, outcome: "ok" | ErrorCode): void {
    this.#hooks.call("onRequest", {
      operation: call.spec.name,
      outcome,
      durationMs: this.#hooks.nowMs() - this.#startMs,
      attemptCount: this.#attemptCount,
      retries: this.#retries,
      regionId: call.entry?.region.id,
      storeId: call.storeId,
    });
  }
}
