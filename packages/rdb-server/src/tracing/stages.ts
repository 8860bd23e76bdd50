import type { EntryTimeline, ServedBy } from "../peer/proposal-queue.ts";
import type { Stage, StageName } from "./trace-sink.ts";

/** When a request came how far; monotonic. */
export interface RequestTimes {
  readonly arrivedMs: number;
  /** Of a write in the log. */
  readonly timeline: EntryTimeline | undefined;
  /** Of a read that is served: since when; 0: it is not. */
  readonly servedMs: number;
  readonly servedBy: ServedBy | undefined;
}

const waits: Readonly<Record<ServedBy, StageName>> = {
  lease: "rdb.store.lease",
  read_index: "rdb.store.read_index",
  follower: "rdb.store.follower_read",
};

/** What a request that was answered at `nowMs` went through. It came no further than its last stage. */
export function stagesOf({ arrivedMs, timeline, servedMs, servedBy }: RequestTimes, nowMs: number): Stage[] {
  if (servedBy !== undefined && servedMs > 0) {
    return [
      { name: waits[servedBy], startMs: arrivedMs, endMs: servedMs },
      { name: "rdb.store.read", startMs: servedMs, endMs: nowMs },
    ];
  }
  if (timeline === undefined) {
    return [{ name: "rdb.store.queue", startMs: arrivedMs, endMs: nowMs }];
  }
  const { proposedMs, durableMs, committedMs } = timeline;
  const isCommitted = committedMs > 0;
  return [
    { name: "rdb.store.queue", startMs: arrivedMs, endMs: proposedMs },
    { name: "rdb.raft.append", startMs: proposedMs, endMs: durableMs > 0 ? durableMs : nowMs },
    { name: "rdb.raft.commit", startMs: proposedMs, endMs: isCommitted ? committedMs : nowMs },
    ...(isCommitted ? [{ name: "rdb.store.apply" as const, startMs: committedMs, endMs: nowMs }] : []),
  ];
}
