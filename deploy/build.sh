#!/usr/bin/env bash
# Builds the three programs, with all that they need but Node itself, into a folder of their own:
#
#   deploy/build.sh OUT      then OUT/bin/rdb-server, OUT/bin/rdb-pd and OUT/bin/rdb run under Node 24 or later
#
# The image and the systemd units run what this makes. Needs Node 24, and pnpm 12 as $PNPM (default: pnpm). Nothing is
# downloaded where `pnpm fetch --ignore-scripts` went before.
set -euo pipefail
cd "$(dirname "$0")/.."

out=${1:?usage: deploy/build.sh OUT}
pnpm=${PNPM:-pnpm}
if [ -e "$out" ]; then
  echo "error: $out is there already: name a folder that is not" >&2
  exit 1
fi

# How old a dependency must be was decided when the lock file was written; to decide it again needs the registry.
offline=(--offline --config.minimum-release-age=0)

# Only what runs is compiled, and of the tools only the compiler is needed: no install script has to run.
if [ ! -e node_modules/typescript ]; then
  $pnpm install --frozen-lockfile "${offline[@]}" --ignore-scripts
fi
node node_modules/typescript/bin/tsc -b packages/rdb-cli
(cd packages/rdb-dashboard && node node_modules/vite/bin/vite.js build)

# rdb-cli depends on the other two programs. RocksDB's install script finds the binary for this platform.
$pnpm --filter @flaredb/rdb-cli deploy --prod "${offline[@]}" "$out"
node deploy/finish-build.mjs "$out"
