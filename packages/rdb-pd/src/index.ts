export { startPd, type PdProcessPorts } from "./start-pd.ts";
export { runPd, type PdPorts, type RunningPd } from "./run-pd.ts";
export { parsePdConfig, type PdConfig } from "./config.ts";
export { main as runPdProcess } from "./main.ts";
