export { ManualClock } from "./manual-clock.ts";
export { temporaryFolder } from "./temporary-folder.ts";
