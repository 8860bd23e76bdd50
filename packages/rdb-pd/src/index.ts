export { startPd, type PdPorts, type RunningPd } from "./start-pd.ts";
export { parsePdConfig, type PdConfig } from "./config.ts";
export { main as runPd } from "./main.ts";
