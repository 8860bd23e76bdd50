export { engineContract, type ContractCase } from "./engine-contract.ts";
export type { EngineFixture } from "./engine-fixture.ts";
export { ManualClock } from "./manual-clock.ts";
export { temporaryFolder } from "./temporary-folder.ts";
export { decodeOp, type DecodedOp } from "./decoded-op.ts";
export { stateKey, stateKinds } from "../key-codec.ts";
export { encodeConfState, encodeEntry, encodeHardState, encodeTruncatedState } from "../raft-codec.ts";
