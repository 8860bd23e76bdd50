#!/usr/bin/env node
// Not for production: a process that breaks when it is told to. See docs/chaos.md.
import { enableCompileCache, getCompileCacheDir } from "node:module";
import { dirname } from "node:path";

// As the program that it stands for.
process.on("SIGHUP", () => {});
enableCompileCache();
const cacheFolder = getCompileCacheDir();
if (cacheFolder !== undefined) {
  process.env["NODE_COMPILE_CACHE"] ??= dirname(cacheFolder);
}
const { faultyStore } = await import("@flaredb/rdb-sim/faulty-store");
await faultyStore(process.argv.slice(2));
