import { describeCall } from "./describe-call.ts";
import type { Call } from "./history.ts";
import { timeline } from "./timeline.ts";
import type { Violation } from "./violation.ts";

/** A violation, with the calls that show it. */
export interface Problem {
  readonly name: string;
  readonly text: string;
  readonly calls: readonly Call[];
}

export function toViolation({ name, text, calls }: Problem): Violation {
  const once = [...new Set(calls)];
  const lines = timeline(once.map((call) => ({ call, text: describeCall(call) })));
  return { name, message: [text, ...lines].join("\n") };
}
