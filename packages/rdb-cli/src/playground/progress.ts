import type { GetClusterInfoResponse } from "@flaredb/rdb-proto";
import type { Terminal } from "./playground.ts";
import type { StartStep, StartSteps } from "./supervisor.ts";

/**
 * Shows what a start is waiting for: spinners on a terminal, else a line for each step when it is done.
 *
 * @throws what the first step that failed rejected with
 */
export async function showProgress(steps: StartSteps, terminal: Terminal): Promise<GetClusterInfoResponse> {
  if (terminal.isInteractive && !terminal.json) {
    return showSpinners(steps);
  }
  const say = terminal.json ? () => {} : terminal.say;
  const startedMs = performance.now();
  for (const step of [...steps.processes, steps.cluster]) {
    announce(step, startedMs, say);
  }
  return steps.cluster.done;
}

function announce(step: StartStep<unknown>, startedMs: number, say: (line: string) => void): void {
  step.done.then(
    () => say(`✓ ${step.title} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`),
    // The cluster's step fails with the same reason, and that one is reported.
    () => {},
  );
}

async function showSpinners(steps: StartSteps): Promise<GetClusterInfoResponse> {
  const { Listr, PRESET_TIMER } = await import("listr2");
  const list = new Listr(
    [...steps.processes, steps.cluster].map((step) => ({
      title: step.title,
      task: () => step.done as Promise<void>,
    })),
    {
      concurrent: true,
      exitOnError: false,
      // Signals are the playground's: it stops its processes first.
      registerSignalListeners: false,
      rendererOptions: { timer: PRESET_TIMER, showErrorMessage: false },
    },
  );
  await list.run();
  return steps.cluster.done;
}
