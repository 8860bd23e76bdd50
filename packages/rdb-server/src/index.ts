export { startStore, type Interposition, type StoreProcessPorts } from "./start-store.ts";
export { runStore, type RunningStore, type StoreDisk, type StorePorts } from "./run-store.ts";
export { parseStoreConfig, type StoreConfig } from "./config.ts";
export type { IncomingSnapshot, SnapshotFiles } from "./store/ports.ts";
export type { DiskUsage } from "./pd/store-heartbeat.ts";
export { main as runStoreProcess } from "./main.ts";
