#!/usr/bin/env bash
# Checks what deploy/observability says with Prometheus' own tools: the alert rules and their unit tests with promtool, and
# everything together with a real Prometheus beside a playground. Prints each step and stops, with a non-zero exit code,
# at the first that fails. Needs prometheus and promtool: Debian's package `prometheus`, which is installed when root runs
# this and it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

# Debian starts the service when it installs the package; nobody wants it here.
install_prometheus() {
  [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null || return 1
  echo "installing Debian's package prometheus"
  { apt-get install --yes prometheus || { apt-get update && apt-get install --yes prometheus; }; } > /dev/null
  if command -v systemctl > /dev/null; then systemctl disable --now prometheus prometheus-node-exporter > /dev/null 2>&1 || true; fi
}

if ! command -v promtool > /dev/null || ! command -v prometheus > /dev/null; then
  install_prometheus || {
    echo "prometheus and promtool are not here and cannot be installed: apt-get install prometheus" >&2
    exit 1
  }
fi

promtool --version 2>&1 | head -1
promtool check config deploy/observability/prometheus.yaml
promtool test rules deploy/observability/alerts.test.yaml

node --input-type=module -e 'import { install } from "./scripts/workspace.mjs"; await install();'
exec node_modules/.bin/node e2e/verify-metrics.ts
