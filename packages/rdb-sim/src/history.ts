/** Recording and judging what clients of a cluster see: nothing here knows of the simulator. For `e2e`. */
export { History, type Call, type Outcome } from "./check/history.ts";
export { historyLines } from "./check/history-lines.ts";
export { checkKeys } from "./check/check-keys.ts";
export { checkRevisions } from "./check/revisions.ts";
export { CallRecorder } from "./workload/call-recorder.ts";
export { RecordedClient } from "./workload/recorded-client.ts";
export { PrefixWorkload } from "./workload/prefix-workload.ts";
export { RegisterWorkload } from "./workload/register-workload.ts";
