/** Lines of shell, or blocks by their first line, that no test runs as they stand. */
export interface NotRun {
  readonly document: string;
  /** Why a test cannot. */
  readonly why: string;
  /** Where it is run, or a smaller one of its kind: a file, a colon, and a text in it. */
  readonly provedBy: string;
  /** As `ShellLine.source`; of a block in another language its first line. */
  readonly lines: readonly string[];
}

const MINUTES = "takes minutes, and all cores";
const MACHINES = "needs several machines";
const DOCKER = "needs Docker";
const KUBERNETES = "needs Kubernetes";

/**
 * All that documents show and no test runs as it stands. Each is held against the parser of the program that it calls,
 * and against the files that it names.
 */
export const notRun: readonly NotRun[] = [
  {
    ...{
      document: "ARCHITECTURE.md",
      why: "a drawing",
      provedBy: "proto/rdb/v1/kv_service.proto: rpc Batch",
    },
    lines: ["rdb-cli ─┐ ┌──────── PD: one Raft group of 1, 3 or 5 members, HTTP"],
  },
  {
    ...{ document: "CONTRIBUTING.md", why: "is this", provedBy: ".ci/run: npm test" },
    lines: ["npm test", "npm test -- rdb-raft"],
  },
  {
    ...{ document: "README.md", why: "is this", provedBy: ".ci/run: npm test" },
    lines: ["npm test"],
  },
  {
    ...{ document: "README.md", why: MINUTES, provedBy: ".ci/run: scripts/verify-raft.sh" },
    lines: ["scripts/verify-raft.sh"],
  },
  {
    ...{ document: "README.md", why: DOCKER, provedBy: "scripts/verify-deploy.sh: e2e/verify-deploy.ts" },
    lines: ["scripts/verify-deploy.sh"],
  },
  {
    ...{ document: "README.md", why: MINUTES, provedBy: "e2e/elastic.e2e.test.ts: empties a Store" },
    lines: ["npm run demo:elastic"],
  },
  {
    ...{ document: "README.md", why: MINUTES, provedBy: "e2e/bench.e2e.test.ts: over two Regions" },
    lines: ["npm run demo:cities", "npm run bench -- put --clients 256"],
  },
  {
    ...{ document: "README.md", why: "needs Chromium", provedBy: ".ci/run: test:dashboard" },
    lines: ["npm run test:dashboard"],
  },
  {
    ...{ document: "README.md", why: MINUTES, provedBy: ".ci/run: chaos -- --minutes 3" },
    lines: ["npm run chaos -- --minutes 2"],
  },
  {
    ...{ document: "README.md", why: MINUTES, provedBy: "scripts/bench-micro.test.ts: micro" },
    lines: ["npm run bench:micro"],
  },
  {
    ...{ document: "README.md", why: "needs etcd", provedBy: "scripts/bench/bench.test.ts: etcd" },
    lines: ["npm run bench:etcd"],
  },
  {
    ...{
      document: "deploy/README.md",
      why: DOCKER,
      provedBy: "e2e/verify-deploy.ts: docker-compose.tls.yaml",
    },
    lines: [
      "docker-compose -f deploy/docker-compose.yaml -f deploy/docker-compose.tls.yaml up --detach",
      "docker build -f deploy/Dockerfile -t flaredb .",
      "docker-compose -f deploy/docker-compose.yaml up --detach",
      "docker-compose -f deploy/docker-compose.yaml exec pd-1 rdb put apple 1",
      "docker-compose -f deploy/docker-compose.yaml exec pd-1 rdb cluster status",
    ],
  },
  {
    document: "deploy/README.md",
    why: "needs root and systemd",
    provedBy: "scripts/deploy/systemd.test.ts: rdb-server",
    lines: [
      "npm install --global pnpm@12.21.0 && pnpm fetch --ignore-scripts && deploy/build.sh /opt/flaredb",
      "useradd --system --home-dir /var/lib/flaredb --shell /usr/sbin/nologin flaredb",
      "install -D --mode 0644 --target-directory /etc/flaredb deploy/systemd/pd.json deploy/systemd/store.json",
      "install --mode 0644 --target-directory /etc/systemd/system deploy/systemd/*.service",
      "$EDITOR /etc/flaredb/pd.json /etc/flaredb/store.json",
      "runuser -u flaredb -- /opt/flaredb/bin/rdb-server --config /etc/flaredb/store.json --check-config",
      "systemctl daemon-reload",
      "systemctl enable --now rdb-pd rdb-server",
    ],
  },
  {
    document: "deploy/README.md",
    why: KUBERNETES,
    provedBy: "scripts/deploy/kubernetes.test.ts: is what the Kubernetes API takes",
    lines: [
      "kubectl create namespace flaredb",
      "kubectl apply --namespace flaredb -f deploy/kubernetes",
      "kubectl exec --namespace flaredb flaredb-pd-0 -- rdb cluster status",
      `kubectl patch statefulset flaredb-store --patch '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":3}}}}'`,
      "kubectl set image statefulset flaredb-store rdb-server=flaredb:NEW",
      `kubectl patch statefulset flaredb-store --patch '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":2}}}}'`,
      "kubectl rollout status statefulset flaredb-store",
      "kubectl exec flaredb-pd-0 -- rdb cluster status",
    ],
  },
  {
    ...{ document: "deploy/observability/README.md", why: DOCKER },
    provedBy: "scripts/deploy/observability.test.ts: docker-compose.yaml",
    lines: [
      "docker-compose -p flaredb -f deploy/docker-compose.yaml -f deploy/observability/docker-compose.yaml up --detach",
    ],
  },
  {
    ...{ document: "deploy/observability/README.md", why: "a line of a log" },
    provedBy: "packages/rdb-server/src/metrics/slow-request-log.ts: slow request",
    lines: [
      '{"level":40,"region":2,"kind":"put","outcome":"ok","tookMs":812.4,"queueMs":3.1,"appendMs":790.2,"commitMs":801.7,"applyMs":7.6,"msg":"slow request"}',
    ],
  },
  {
    ...{ document: "docs/admin-api.md", why: MACHINES },
    provedBy: "packages/rdb-pd/src/http/api/contract.test.ts: authorization",
    lines: ['curl -H "authorization: Bearer $(head -n 1 token)" http://10.0.0.1:7401/api/v1/stores'],
  },
  {
    ...{ document: "docs/benchmarks.md", why: "needs etcd", provedBy: "scripts/bench/bench.test.ts: etcd" },
    lines: ["npm run bench:etcd"],
  },
  {
    ...{
      document: "docs/benchmarks.md",
      why: "another document's, that is run",
      provedBy: "docs/quickstart.md: npm start",
    },
    lines: ["npm start -- --tmp"],
  },
  {
    ...{ document: "docs/benchmarks.md", why: MINUTES, provedBy: "e2e/bench.e2e.test.ts: over two Regions" },
    lines: [
      "npm run bench -- put --clients 256 --seconds 10",
      "npm run bench -- mixed --rate 5000 --zipf 0.99 --fill",
      "npm run bench -- get --fill --processes 2 --json",
    ],
  },
  {
    ...{ document: "docs/benchmarks.md", why: MINUTES, provedBy: "scripts/bench-micro.test.ts: micro" },
    lines: ["npm run bench:micro"],
  },
  {
    ...{ document: "docs/benchmarks.md", why: MINUTES, provedBy: "scripts/bench/bench.test.ts: etcd" },
    lines: ["npm run measure:overload"],
  },
  {
    ...{ document: "docs/chaos.md", why: MINUTES, provedBy: ".ci/run: chaos -- --minutes 3" },
    lines: [
      "npm run chaos",
      "npm run chaos -- --minutes 60 --seed 42",
      "npm run chaos -- --only kill-leader,flip-bit",
      "npm run chaos -- --report docs/chaos.md",
      "npm run chaos -- --minutes 3 --seed 5 --brief --untimed",
    ],
  },
  {
    ...{ document: "docs/elastic.md", why: MINUTES, provedBy: "e2e/elastic.e2e.test.ts: empties a Store" },
    lines: ["npm run demo:elastic", "npm run demo:elastic -- --bytes 64MiB --region-split-size 8MiB"],
  },
  {
    ...{
      document: "docs/elastic.md",
      why: "what a run printed",
      provedBy: "e2e/elastic/timeline.ts: puts/s",
    },
    lines: ["time regions operators MiB puts/s gap ms leaders/peers by Store (- draining, ? silent, ! down)"],
  },
  {
    ...{ document: "docs/operations.md", why: "which operator there is, nobody knows before" },
    provedBy: "packages/rdb-cli/src/commands/changes.test.ts: watch",
    lines: ["npx rdb operator watch 17"],
  },
  {
    ...{ document: "docs/operations.md", why: MACHINES },
    provedBy: "packages/rdb-cli/src/commands/pd-members.test.ts: remove-member",
    lines: ["npx rdb pd remove-member 2", "npx rdb pd add-member pd-4 10.0.0.4:7400"],
  },
  {
    ...{ document: "docs/pd-members.md", why: MACHINES, provedBy: "e2e/pd-group.ts: join" },
    lines: [
      "rdb pd --name pd-1 --host 10.0.0.1 --data-dir /var/lib/flaredb --insecure --initial-cluster pd-1=10.0.0.1:7400,pd-2=10.0.0.2:7400,pd-3=10.0.0.3:7400",
      "rdb pd --name pd-4 --data-dir /var/lib/flaredb --host 10.0.0.4 --port 7400 --insecure --join 10.0.0.2:7400",
    ],
  },
  {
    ...{ document: "docs/quickstart.md", why: MINUTES, provedBy: "e2e/elastic.e2e.test.ts: empties a Store" },
    lines: ["npm run demo:cities", "npm run demo:elastic"],
  },
  {
    ...{ document: "docs/scale.md", why: MINUTES, provedBy: "e2e/scale/goals.ts: missed" },
    lines: [
      "npm run measure:idle",
      "npm run measure:idle -- --stores 1",
      "npm run measure:failover",
      "npm run measure:start -- --bytes 20GiB",
      "npm run measure:start -- --bytes 2GiB",
      "npm run measure:soak",
      "npm run measure:soak -- --minutes 6",
    ],
  },
  {
    ...{
      document: "docs/security.md",
      why: MACHINES,
      provedBy: "e2e/tls.e2e.test.ts: the SDK reads and writes",
    },
    lines: [
      "rdb pd --data-dir pd --host 10.0.0.1 --tls-ca certs/ca.crt --tls-cert certs/pd-1.crt --tls-key certs/pd-1.key",
      "rdb server --data-dir s1 --host 10.0.0.11 --pd pd-1:7400 --tls-ca certs/ca.crt --tls-cert certs/store-1.crt --tls-key certs/store-1.key",
      "export FLAREDB_TLS_CA=certs/ca.crt FLAREDB_TLS_CERT=certs/app.crt FLAREDB_TLS_KEY=certs/app.key",
      "rdb --pd pd-1:7400 put apple 1",
      "curl --cacert certs/ca.crt --cert certs/app.crt --key certs/app.key https://pd-1:7401/health",
      'import { RdbClient } from "@flaredb/rdb-client";',
    ],
  },
  {
    ...{
      document: "docs/security.md",
      why: "needs root",
      provedBy: "e2e/tls.e2e.test.ts: certificates are replaced",
    },
    lines: ["mv new/store-1.crt new/store-1.key /etc/flaredb/"],
  },
  {
    ...{ document: "docs/security.md", why: MINUTES, provedBy: "e2e/measure-tls.ts: median" },
    lines: ["npm run measure:tls"],
  },
  {
    ...{ document: "docs/testing.md", why: MINUTES, provedBy: ".ci/run: sim -- --seeds 1000" },
    lines: [
      "npm run sim -- --seeds 1000",
      "npm run sim -- --seed 42",
      "npm run sim -- --minimise 42",
      "npm run sim -- --seed 42 --history F",
      "npm run sim -- --plan FILE",
    ],
  },
  {
    ...{
      document: "docs/testing.md",
      why: "the files lie elsewhere",
      provedBy: "scripts/conformance.test.ts: byte-exact",
    },
    lines: ["npm run conformance -- ../shared/raft-testdata"],
  },
  {
    ...{ document: "docs/testing.md", why: MINUTES },
    provedBy: "packages/rdb-sim/src/mutants/mutants.test.ts: mutants",
    lines: ["npm run mutants", "npm run mutants -- --list", "npm run mutants -- --only vote-not-persisted"],
  },
  {
    ...{ document: "docs/testing.md", why: "is a test itself", provedBy: ".ci/run: npm test" },
    lines: ["FLAREDB_E2E_HISTORY=history.jsonl npx vitest run e2e/linearizability.e2e.test.ts"],
  },
];

/** The name that a block which is no shell has in `notRun`. */
export function nameOf(text: string): string {
  return (text.split("\n")[0] ?? "").trim().replaceAll(/\s+/g, " ");
}

export function isNotRun(document: string, line: string): boolean {
  return notRun.some((entry) => entry.document === document && entry.lines.includes(line));
}
