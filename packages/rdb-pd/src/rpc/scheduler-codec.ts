import { create } from "@bufbuild/protobuf";
import { type Explanation, ExplanationSchema, type Scheduler, SchedulerSchema } from "@flaredb/rdb-proto";
import type { CountedSource } from "../admin/scheduler-commands.ts";
import type { SourceDecision } from "../coordinator/coordinator.ts";

export function schedulerToProto(source: CountedSource): Scheduler {
  return create(SchedulerSchema, {
    name: source.name,
    isChecker: source.isChecker,
    isPaused: source.isPaused,
    pausedUntilMs: BigInt(source.pausedUntilMs),
    runningCount: source.runningCount,
    doneCount: BigInt(source.doneCount),
    lastWord: source.lastWord,
  });
}

export function explanationToProto({ source, isPaused, decision }: SourceDecision): Explanation {
  const { acts, ruledOut } = decision;
  const wish = acts ? `${decision.plan.kind}: ${decision.plan.motive}` : decision.summary;
  return create(ExplanationSchema, {
    source,
    acts: acts && !isPaused,
    summary: isPaused ? `paused; it would say: ${wish}` : wish,
    ruledOut: ruledOut.map((store) => ({ ...store, storeId: BigInt(store.storeId) })),
  });
}
