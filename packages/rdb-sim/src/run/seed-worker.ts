import { parentPort } from "node:worker_threads";
import { drawPlan } from "../faults/plan.ts";
import { runPlan } from "./run-plan.ts";

// A thread of `hunt`: a seed comes in, its verdict goes out.
parentPort?.on("message", (seed: number) => {
  void runPlan(drawPlan(seed)).then((verdict) => parentPort?.postMessage(verdict));
});
