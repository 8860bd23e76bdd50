#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Type stripping and parsing are most of a start's time; the cache keeps both.
enableCompileCache();
const { main } = await import("../src/main.ts");
await main(process.argv.slice(2));
