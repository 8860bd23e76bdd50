import { parentPort } from "node:worker_threads";
import { drawPlan } from "../faults/plan.ts";
import { runPlan } from "./run-plan.ts";

// Refusals are answers here, thousands a run: to note where each was made takes a thirtieth of the time. A replay of the
// seed, which is no thread, has the whole stack of what went wrong.
Error.stackTraceLimit = 0;

// A thread of `hunt`: a seed comes in, its verdict goes out.
parentPort?.on("message", (seed: number) => {
  void runPlan(drawPlan(seed)).then((verdict) => parentPort?.postMessage(verdict));
});
