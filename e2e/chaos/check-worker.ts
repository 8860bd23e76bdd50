// Judges histories on a thread of its own: the proxies between the processes run on the main one and must not wait.
import { parentPort } from "node:worker_threads";
import { checkKeys } from "@flaredb/rdb-sim/history";
import type { CheckAnswer, CheckRequest } from "./history-checker.ts";

parentPort?.on("message", ({ round, calls }: CheckRequest) => {
  const anomalies = checkKeys(calls).map(({ name, message }) => `${name}: ${message}`);
  parentPort?.postMessage({ round, anomalies } satisfies CheckAnswer);
});
