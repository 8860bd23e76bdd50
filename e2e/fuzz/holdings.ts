import { readdirSync } from "node:fs";
import { MiB } from "@flaredb/rdb-base";
import type { ManagedProcess } from "../managed-process.ts";
import { waitFor } from "../wait.ts";

/** What a process holds: to be the same again when whoever wanted something of it is gone. */
export interface Holdings {
  readonly descriptors: number;
  readonly bytes: number;
}

/** Connections of the bystander and of the processes with each other come and go. */
const DESCRIPTORS_SLACK = 12;
/** Caches fill, and code is compiled. */
const BYTES_SLACK = 48 * MiB;
const SETTLE_TIMEOUT_MS = 60_000;

export async function holdingsOf(process: ManagedProcess): Promise<Holdings> {
  const descriptors = readdirSync(`/proc/${process.pid}/fd`).length;
  return { descriptors, bytes: await process.heldBytes() };
}

/** Waits until the process holds no more than it did. @returns what it holds, or why that is too much */
export async function settled(process: ManagedProcess, before: Holdings): Promise<Holdings | string> {
  let now = before;
  try {
    await waitFor(`${process.plan.name} lets go`, SETTLE_TIMEOUT_MS, async () => {
      now = await holdingsOf(process);
      return (
        now.descriptors <= before.descriptors + DESCRIPTORS_SLACK && now.bytes <= before.bytes + BYTES_SLACK
      );
    });
    return now;
  } catch {
    return `${process.plan.name} holds ${describe(now)}, and held ${describe(before)}`;
  }
}

export function describe({ descriptors, bytes }: Holdings): string {
  return `${descriptors} descriptors and ${Math.round(bytes / MiB)} MiB`;
}
