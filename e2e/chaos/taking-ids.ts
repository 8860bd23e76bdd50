import { pause } from "../wait.ts";
import type { ChaosCluster } from "./chaos-cluster.ts";
import type { Fault } from "./nemesis.ts";

/** As many as one call may take: each needs an entry of PD's log of its own. */
const COUNT = 10_000;
const PAUSE_MS = 100;

/**
 * A fault of PD during which ids are taken all the time: a PD whose log is idle would not notice what is wrong with it.
 * An id that comes twice ends the run.
 *
 * @param endsServing in the end PD has to give ids out once more. Not for a fault beside which all of PD may be away
 */
export function takingIds(cluster: ChaosCluster, fault: Fault, endsServing: boolean): Fault {
  let isOn = true;
  let count = 0;
  let repeated: unknown;
  const take = async (): Promise<void> => {
    const { firstId } = await cluster.ask(({ pd }, options) => pd.allocateIds({ count: COUNT }, options));
    try {
      cluster.takenIds.note(firstId, COUNT);
      count++;
    } catch (error) {
      repeated = error;
    }
  };
  const run = async (): Promise<void> => {
    while (isOn) {
      // PD may be away for as long as the fault lasts.
      await take().catch(() => {});
      await pause(PAUSE_MS);
    }
  };
  void run();
  return {
    text: fault.text,
    outcome: () => [fault.outcome?.(), `${count} times ids`].filter((part) => part !== undefined).join(", "),
    end: async () => {
      isOn = false;
      await fault.end();
      if (endsServing) {
        await take();
      }
      if (repeated !== undefined) {
        throw repeated;
      }
    },
  };
}
