export { engineContract, type ContractCase, type EngineFixture } from "./engine-contract.ts";
export { ManualClock } from "./manual-clock.ts";
export { temporaryFolder } from "./temporary-folder.ts";
