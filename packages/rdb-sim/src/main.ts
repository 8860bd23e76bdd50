import { main, simPorts } from "./run/main.ts";

process.exitCode = await main(process.argv.slice(2), simPorts);
