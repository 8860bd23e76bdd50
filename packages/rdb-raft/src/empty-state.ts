import { ZERO_INDEX, ZERO_TERM } from "./index-math.ts";
import type { ConfState, HardState, Snapshot } from "./messages.ts";

/** No voters, no learners. */
export const EMPTY_CONF_STATE: ConfState = {
  voters: [],
  learners: [],
  votersOutgoing: [],
  learnersNext: [],
  autoLeave: false,
};

/** Nothing voted, nothing committed. */
export const EMPTY_HARD_STATE: HardState = { term: ZERO_TERM, vote: 0, commit: ZERO_INDEX };

/** What a storage that was never given a snapshot has: the state before the first entry. */
export const EMPTY_SNAPSHOT: Snapshot = {
  metadata: { confState: EMPTY_CONF_STATE, index: ZERO_INDEX, term: ZERO_TERM },
  data: new Uint8Array(0),
};
