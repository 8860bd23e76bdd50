#!/usr/bin/env bash
# SPEC-R9: walks through Raft replication with real processes. Prints each step and stops, with a non-zero exit code, at
# the first that fails. Everything runs on this machine, on free ports and in a temporary folder.
set -euo pipefail
cd "$(dirname "$0")/.."

node --input-type=module -e 'import { install } from "./scripts/workspace.mjs"; await install();'
exec node_modules/.bin/node e2e/verify-raft.ts
