#!/usr/bin/env bash
# SPEC-U4: walks through a cluster in containers: builds the image, brings deploy/docker-compose.yaml up, writes, kills
# processes inside the containers, adds a Store and takes it away. Prints each step and stops, with a non-zero exit code,
# at the first that fails. Needs Docker with docker-compose or its compose plugin; takes three minutes and a free gigabyte.
# BASE_IMAGE names another Node 24 on Debian.
set -euo pipefail
cd "$(dirname "$0")/.."

node --input-type=module -e 'import { install } from "./scripts/workspace.mjs"; await install();'
exec node_modules/.bin/node e2e/verify-deploy.ts
