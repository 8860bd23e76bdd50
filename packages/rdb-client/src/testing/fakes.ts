export { ManualClock } from "./manual-clock.ts";
export { WireCluster } from "./wire-cluster.ts";
