import type { PeerId } from "@flaredb/rdb-base";
import type { Progress } from "../progress.ts";
import type { TrackerConfig } from "../progress-tracker.ts";

/** The first invariant of a configuration that does not hold, in words; undefined when all do. */
export function findBrokenInvariant(
  config: TrackerConfig,
  progress: ReadonlyMap<PeerId, Progress>,
): string | undefined {
  return (
    findMissingProgress(config, progress) ??
    findWrongLearnerNext(config, progress) ??
    findWrongLearner(config, progress) ??
    findJointLeftover(config)
  );
}

function findMissingProgress(
  config: TrackerConfig,
  progress: ReadonlyMap<PeerId, Progress>,
): string | undefined {
  for (const id of [...config.voters.ids(), ...config.learners, ...config.learnersNext]) {
    if (!progress.has(id)) {
      return `no progress for ${id}`;
    }
  }
  return undefined;
}

/** Learners of the next configuration are voters of the outgoing one until then. */
function findWrongLearnerNext(
  config: TrackerConfig,
  progress: ReadonlyMap<PeerId, Progress>,
): string | undefined {
  for (const id of config.learnersNext) {
    if (!config.voters.outgoing.has(id)) {
      return `${id} is in LearnersNext, but not Voters[1]`;
    }
    if (progress.get(id)?.isLearner) {
      return `${id} is in LearnersNext, but is already marked as learner`;
    }
  }
  return undefined;
}

function findWrongLearner(
  config: TrackerConfig,
  progress: ReadonlyMap<PeerId, Progress>,
): string | undefined {
  for (const id of config.learners) {
    if (config.voters.outgoing.has(id)) {
      return `${id} is in Learners and Voters[1]`;
    }
    if (config.voters.incoming.has(id)) {
      return `${id} is in Learners and Voters[0]`;
    }
    if (!progress.get(id)?.isLearner) {
      return `${id} is in Learners, but is not marked as learner`;
    }
  }
  return undefined;
}

function findJointLeftover(config: TrackerConfig): string | undefined {
  if (config.voters.outgoing.size > 0) {
    return undefined;
  }
  if (config.learnersNext.size > 0) {
    return "cfg.LearnersNext must be nil when not joint";
  }
  return config.autoLeave ? "AutoLeave must be false when not joint" : undefined;
}
