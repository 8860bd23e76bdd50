export { startStore, type RunningStore, type StorePorts } from "./start-store.ts";
export { parseStoreConfig, type StoreConfig } from "./config.ts";
export { main as runServer } from "./main.ts";
