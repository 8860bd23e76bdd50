import { type Region, index, term } from "@flaredb/rdb-base";
import {
  type ApplyState,
  type Engine,
  RaftLogStore,
  WritePart,
  putApplyState,
  putRegionLocalState,
} from "@flaredb/rdb-storage";
import { confStateOf } from "../peer/conf-state.ts";

/** Where the log of a bootstrapped Region begins: an empty peer, at 0, is only ever filled by a snapshot. */
const INITIAL_INDEX = index(5);
const INITIAL_TERM = term(5);

/** Writes the records of a Region that begins here, durably. @returns its ApplyState */
export async function writeInitialRegion(engine: Engine, region: Region): Promise<ApplyState> {
  const applyState: ApplyState = { index: INITIAL_INDEX, term: INITIAL_TERM, revision: 0, logTimeMs: 0 };
  const part = new WritePart();
  putRegionLocalState(part, { state: "Normal", region });
  putApplyState(part, region.id, applyState);
  RaftLogStore.initialise(part, {
    regionId: region.id,
    index: INITIAL_INDEX,
    term: INITIAL_TERM,
    confState: confStateOf(region),
  });
  part.sync = true;
  await written(engine, part);
  return applyState;
}

function written(engine: Engine, part: WritePart): Promise<void> {
  return new Promise((resolve) => engine.submit(part, resolve));
}
