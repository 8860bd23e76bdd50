#!/usr/bin/env node
import { enableCompileCache, getCompileCacheDir } from "node:module";
import { dirname } from "node:path";

// Type stripping and parsing are most of a short command's time; the cache keeps both. What the command starts,
// processes and threads, looks for it in the environment.
enableCompileCache();
const cacheFolder = getCompileCacheDir();
if (cacheFolder !== undefined) {
  process.env["NODE_COMPILE_CACHE"] ??= dirname(cacheFolder);
}
await import("@flaredb/rdb-cli/main");
