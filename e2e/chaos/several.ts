import type { Random } from "@flaredb/rdb-base";
import type { ManagedProcess } from "../managed-process.ts";
import type { Fault } from "./nemesis.ts";

/** kill -9 of several at once; they come back together. */
export async function killAll(processes: readonly ManagedProcess[]): Promise<Fault> {
  await Promise.all(processes.map((process) => process.kill()));
  return {
    text: `kill -9 of ${processes.map(({ plan }) => plan.name).join(", ")}`,
    end: async () => {
      await Promise.all(processes.map((process) => process.launch()));
    },
  };
}

/** So many of them, in a drawn order. */
export function drawSome<Item>(items: readonly Item[], count: number, random: Random): Item[] {
  const left = [...items];
  return Array.from({ length: Math.min(count, left.length) }, () => {
    return left.splice(random.nextInt(left.length), 1)[0] as Item;
  });
}
