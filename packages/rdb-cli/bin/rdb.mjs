#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Type stripping and parsing are most of a short command's time; the cache keeps both.
enableCompileCache();
await import("../src/main.ts");
