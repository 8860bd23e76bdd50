// The walk-through that scripts/verify-deploy.sh runs (SPEC U4).
import { readFileSync } from "node:fs";
import { ComposeProject, run } from "./deploy/docker.ts";
import { verifyUnits } from "./deploy/units.ts";
import { freePorts } from "./free-ports.ts";
import { step } from "./step.ts";
import { waitFor } from "./wait.ts";

const IMAGE = "flaredb:verify";
const BASE_IMAGE = process.env["BASE_IMAGE"] ?? "node:24-bookworm-slim";
const IMAGE_MAX_MB_OVER_BASE = 300;

const UP_MAX_MS = 30_000;
const RESTART_MAX_MS = 30_000;
const FILL_MAX_MS = 120_000;
const WRITE_SECONDS = 30;

const SERVICES = ["pd-1", "pd-2", "pd-3", "store-1", "store-2", "store-3"];
const REGION_KEYS = ["1", "2", "3", "4", "5", "6", "7"].map((at) => `writes/${at}`);

const writer = readFileSync(new URL("./deploy/writer.mjs", import.meta.url), "utf8");

interface StoreRow {
  readonly id: number;
  readonly address: string;
  readonly regionCount: number;
}

function check(condition: boolean, problem: string): void {
  if (!condition) {
    throw new Error(problem);
  }
}

async function megabytesOf(image: string): Promise<number> {
  return Number(await run("docker", ["image", "inspect", "-f", "{{.Size}}", image])) / 1e6;
}

/** Writes meanwhile, and holds what was acknowledged against what can be read afterwards. */
async function writesThrough(cluster: ComposeProject, faults: () => Promise<void>): Promise<string> {
  // From a container that no fault hits.
  const writing = cluster.runModule("pd-2", writer, ["writes", String(WRITE_SECONDS)]);
  const [output] = await Promise.all([writing, faults()]);
  const { acknowledged, failed, missing, longestGapMs } = JSON.parse(output);
  const found = `${acknowledged} writes, longest gap ${longestGapMs} ms`;
  check(acknowledged > 0 && failed === 0 && missing === 0, `${found}, ${failed} failed, ${missing} lost`);
  return found;
}

/** kill -9 of everything in the containers but PID 1, and Docker has to start them again. */
async function killInside(cluster: ComposeProject, services: readonly string[]): Promise<void> {
  const before = await Promise.all(services.map((service) => cluster.stateOf(service)));
  const ids = await Promise.all(services.map((service) => cluster.containerOf(service)));
  // The shell that sends it is spared by the kernel, and goes with the container.
  const kill = ["sh", "-c", "kill -9 -1"];
  await Promise.all(ids.map((id) => run("docker", ["exec", id, ...kill]).catch(ignoreEndOfShell)));
  await waitFor(`${services.join(", ")} restarted and healthy`, RESTART_MAX_MS, async () => {
    const states = await Promise.all(services.map((service) => cluster.stateOf(service)));
    return states.every(
      ({ isHealthy, restartCount }, at) => isHealthy && restartCount > (before[at]?.restartCount ?? 0),
    );
  });
}

/** Whether it was restarted is looked at; how the shell inside ended says nothing. */
function ignoreEndOfShell(): void {}

async function storeRow(cluster: ComposeProject, service: string): Promise<StoreRow> {
  const rows = await cluster.rdb<StoreRow[]>("store", "list");
  const row = rows.find(({ address }) => address === `${service}:7410`);
  check(row !== undefined, `PD knows no Store at ${service}:7410`);
  return row as StoreRow;
}

async function build(cluster: ComposeProject): Promise<string> {
  await cluster.compose("build", "pd-1");
  const overBase = (await megabytesOf(IMAGE)) - (await megabytesOf(BASE_IMAGE));
  check(overBase < IMAGE_MAX_MB_OVER_BASE, `the image is ${overBase.toFixed(0)} MB over its base`);
  return `${overBase.toFixed(0)} MB over ${BASE_IMAGE}`;
}

async function bringUp(cluster: ComposeProject): Promise<string> {
  const startedMs = performance.now();
  const seconds = (): string => ((performance.now() - startedMs) / 1000).toFixed(1);
  await cluster.compose("up", "--detach");
  await waitFor("a write", UP_MAX_MS, async () => {
    await cluster.exec("pd-2", "rdb", "put", "first", "1");
    return true;
  });
  const writable = seconds();
  await waitFor("every container healthy", UP_MAX_MS, async () => {
    const states = await Promise.all(SERVICES.map((service) => cluster.stateOf(service)));
    return states.every(({ isHealthy }) => isHealthy);
  });
  check(performance.now() - startedMs < UP_MAX_MS, `it took ${seconds()} s`);
  return `writable after ${writable} s, healthy after ${seconds()} s`;
}

async function looksInside(cluster: ComposeProject): Promise<string> {
  for (const service of SERVICES) {
    const init = await cluster.exec(service, "cat", "/proc/1/comm");
    const user = await cluster.exec(service, "id", "-u");
    check(init === "tini" && user === "10001", `${service} runs ${init} as user ${user}`);
  }
  return "";
}

async function grows(cluster: ComposeProject): Promise<string> {
  const keys = REGION_KEYS.flatMap((key) => ["--key", key]);
  const [region] = await cluster.rdb<{ readonly id: number }[]>("region", "list");
  await cluster.rdb("region", "split", String(region?.id), ...keys);
  await cluster.compose("--profile", "grow", "up", "--detach");
  const row = await waitFor("a Region on store-4", FILL_MAX_MS, async () => {
    const { id, regionCount } = await storeRow(cluster, "store-4");
    return regionCount > 0 && { id, regionCount };
  });
  return `Store ${row.id} has ${row.regionCount} of ${REGION_KEYS.length + 1} Regions`;
}

async function shrinks(cluster: ComposeProject): Promise<string> {
  const { id } = await storeRow(cluster, "store-4");
  await cluster.exec("pd-2", "rdb", "store", "decommission", String(id), "--timeout", "120s");
  const { exitCode } = await waitFor("the container's end", RESTART_MAX_MS, async () => {
    const state = await cluster.stateOf("store-4");
    return !state.isRunning && state;
  });
  check(exitCode === 0, `it ended with ${exitCode}`);
  return "its process ended with 0";
}

async function countOfKeys(cluster: ComposeProject): Promise<number> {
  const keys = await cluster.exec("pd-2", "rdb", "scan", "--prefix", "writes/", "--keys-only");
  return keys.split("\n").length;
}

async function losesAllAtOnce(cluster: ComposeProject): Promise<string> {
  const before = await countOfKeys(cluster);
  const startedMs = performance.now();
  await killInside(cluster, SERVICES);
  const after = await waitFor("a scan of all keys", UP_MAX_MS, () => countOfKeys(cluster));
  check(after === before, `${before} keys were there, ${after} are`);
  return `all ${after} keys are read after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
}

async function stopsAndStarts(cluster: ComposeProject): Promise<string> {
  const before = await countOfKeys(cluster);
  const startedMs = performance.now();
  await cluster.compose("stop");
  const stopped = ((performance.now() - startedMs) / 1000).toFixed(1);
  for (const service of SERVICES) {
    const { exitCode } = await cluster.stateOf(service);
    check(exitCode === 0, `${service} ended with ${exitCode}`);
  }
  const up = await bringUp(cluster);
  const after = await countOfKeys(cluster);
  check(after === before, `${before} keys were there, ${after} are`);
  return `stopped in ${stopped} s, all with 0; ${up}; ${after} keys as before`;
}

/** A member of PD and a Store, each asked without a certificate and with one of an authority of its own. */
async function refusesStrangers(cluster: ComposeProject): Promise<string> {
  const shown = '--tls-ca /etc/flaredb-tls/ca.crt --tls-cert "$strange/app.crt" --tls-key "$strange/app.key"';
  const attempts = [
    "env -u FLAREDB_TLS_CA -u FLAREDB_TLS_CERT -u FLAREDB_TLS_KEY rdb get first --timeout 3s",
    `strange=$(mktemp -d) && rdb cert create --dir "$strange" app >/dev/null && rdb ${shown} get first --timeout 3s`,
  ];
  for (const attempt of attempts) {
    const answer = await cluster.exec("pd-2", "bash", "-c", `(${attempt}) 2>&1 && echo SERVED || true`);
    check(!answer.includes("SERVED"), `a stranger was served: ${attempt}`);
    check(/no placement driver answers/.test(answer), `it is not told why: ${answer}`);
  }
  const value = await cluster.exec("pd-2", "rdb", "get", "first");
  check(value === "1", `who shows its certificate reads ${value}`);
  const authority = await cluster.exec("store-1", "bash", "-c", "ls /etc/flaredb-tls");
  check(authority === "ca.crt\ntls.crt\ntls.key", `a Store has ${authority}`);
  return "nothing for whoever has no certificate of this cluster";
}

async function walkWithTls(cluster: ComposeProject): Promise<void> {
  await step("with certificates: six processes come up", () => bringUp(cluster));
  await step("strangers get nothing", () => refusesStrangers(cluster));
  await step("kill -9 of a Store while clients write", () =>
    writesThrough(cluster, () => killInside(cluster, ["store-1"])),
  );
}

async function walk(cluster: ComposeProject): Promise<void> {
  await step("systemd takes the units", verifyUnits);
  await step("the image is built", () => build(cluster));
  await step("three members of PD and three Stores come up", () => bringUp(cluster));
  await step("each runs under tini, and not as root", () => looksInside(cluster));
  await step("kill -9 of each Store in turn, and of a member of PD, while clients write", () =>
    writesThrough(cluster, async () => {
      for (const service of ["store-1", "store-2", "store-3", "pd-1"]) {
        await killInside(cluster, [service]);
      }
    }),
  );
  await step("kill -9 of all six at once", () => losesAllAtOnce(cluster));
  await step("a fourth Store is filled by PD", () => grows(cluster));
  await step("it is decommissioned, and stays ended", () => shrinks(cluster));
  await step("the cluster stops and starts in good order", () => stopsAndStarts(cluster));
}

/** Its containers and volumes are gone afterwards. */
async function walkThrough(
  name: string,
  files: readonly string[],
  steps: (cluster: ComposeProject) => Promise<void>,
): Promise<void> {
  const [pdHttpPort] = await freePorts(1);
  const env = { FLAREDB_IMAGE: IMAGE, BASE_IMAGE, FLAREDB_PUBLISHED_HTTP_PORT: String(pdHttpPort) };
  const cluster = await ComposeProject.create(name, env, files);
  try {
    await steps(cluster);
  } catch (error) {
    console.error(await cluster.compose("logs", "--tail", "20"));
    throw error;
  } finally {
    await cluster.compose("--profile", "grow", "down", "--volumes", "--timeout", "5");
  }
}

await walkThrough("flaredb-verify", ["docker-compose.yaml"], walk);
await walkThrough("flaredb-verify-tls", ["docker-compose.yaml", "docker-compose.tls.yaml"], walkWithTls);
console.log("everything holds");
