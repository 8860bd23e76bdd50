#!/usr/bin/env node
import { enableCompileCache, getCompileCacheDir } from "node:module";
import { dirname } from "node:path";

// Without a handler it ends a process, and whoever reloads a program does not know that it has only just started. The
// configuration is read after this.
process.on("SIGHUP", () => {});

// Type stripping and parsing are most of a start's time, and the stripper a third of an idle process's memory; the
// cache keeps both away. The worker threads of the storage look for it in the environment.
enableCompileCache();
const cacheFolder = getCompileCacheDir();
if (cacheFolder !== undefined) {
  process.env["NODE_COMPILE_CACHE"] ??= dirname(cacheFolder);
}
const { main } = await import("@flaredb/rdb-pd/main");
await main(process.argv.slice(2));
