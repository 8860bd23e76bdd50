import type { Worker } from "node:worker_threads";

/** Asks a worker to end and resolves once it has: then nothing of it uses the database any more. */
export function stopWorker(worker: Worker, request: unknown): Promise<void> {
  return new Promise((resolve) => {
    worker.once("exit", () => resolve());
    worker.postMessage(request);
  });
}
