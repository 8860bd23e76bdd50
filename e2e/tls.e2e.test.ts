import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { RdbClient } from "@flaredb/rdb-client";
import { parseAddress } from "@flaredb/rdb-wire";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CertificateFiles, TestCluster, type TestStore, tlsFilesOf, tlsFlags } from "./cluster.ts";
import type { ManagedProcess } from "./managed-process.ts";
import { rdb } from "./run-cli.ts";
import { waitFor } from "./wait.ts";

const MEMBERS = ["pd", "store-1", "store-2", "store-3"];
const OWNERS = [...MEMBERS.map((name) => `${name}=127.0.0.1`), "client"];

let folder: string;
let certificates: string;
let cluster: TestCluster;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "flaredb-tls-"));
  certificates = join(folder, "certs");
  await Promise.all([createCertificates(certificates), createCertificates(join(folder, "foreign"))]);
  cluster = await TestCluster.start({ certificates });
}, 60_000);

afterAll(async () => {
  await cluster?.dispose();
  rmSync(folder, { recursive: true });
});

async function createCertificates(dir: string, ...options: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await rdb(["cert", "create", "--dir", dir, ...options, ...OWNERS]);
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
}

/** `rdb` with the certificate of `name`. */
function rdbAs(name: string, ...args: readonly string[]) {
  const flags = Object.entries(tlsFlags(certificates, name)).flatMap(([flag, file]) => [`--${flag}`, file]);
  return rdb(["--pd", cluster.pdAddress, ...flags, ...args]);
}

/** Trusts the cluster; shows what a foreign authority signed, or nothing. */
function strangers(): Record<string, { ca: Buffer; cert?: Buffer; key?: Buffer }> {
  const ca = readFileSync(tlsFilesOf(certificates, "client").ca);
  const foreign = tlsFilesOf(join(folder, "foreign"), "client");
  const [cert, key] = [readFileSync(foreign.cert), readFileSync(foreign.key)];
  return { nothing: { ca }, foreign: { ca, cert, key } };
}

function healthOf(url: string, material?: https.RequestOptions): Promise<number | undefined> {
  return statusOf(`${url}/health`, material);
}

/** The status of the answer, or the error. */
function statusOf(url: string, material: https.RequestOptions = {}): Promise<number | undefined> {
  const get = url.startsWith("https:") ? https.get : http.get;
  return new Promise((resolve, reject) => {
    get(url, { ...material, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on("error", reject);
  });
}

test("PD asks the Stores what they serve, and reads rows of theirs, under TLS too", async () => {
  const client = await cluster.connect();
  await client.put("asked/1", "1");
  const point = await waitFor("a point of the Stores' flow", 30_000, async () => {
    const { points } = (await askPd("/flows")) as { points: { writesPerSecond: number }[] };
    await client.put("asked/1", "2");
    return points.find(({ writesPerSecond }) => writesPerSecond > 0);
  });
  expect(point.writesPerSecond).toBeGreaterThan(0);
  expect(await askPd("/data?prefix=asked/")).toMatchObject({ rows: [{ key: "asked/1" }] });
});

/** What PD's admin API answers to a client with a certificate. */
function askPd(path: string): Promise<unknown> {
  const { ca, cert, key } = tlsFilesOf(certificates, "client");
  const material = { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key), agent: false };
  const url = `${cluster.pdHttpUrl.replace("http:", "https:")}/api/v1${path}`;
  return new Promise((resolve, reject) => {
    const answered = async (response: http.IncomingMessage): Promise<void> => {
      const chunks = await response.toArray();
      resolve(JSON.parse(Buffer.concat(chunks as Buffer[]).toString()));
    };
    https.get(url, material, (response) => void answered(response).catch(reject)).on("error", reject);
  });
}

test("the SDK reads and writes, and so does the command line", async () => {
  const client = await cluster.connect();
  await client.put("sdk", "1");
  expect((await client.get("sdk"))?.text()).toBe("1");
  expect(await rdbAs("client", "put", "cli", "2")).toMatchObject({ exitCode: 0 });
  const stores = await rdbAs("client", "--json", "store", "list");
  expect(JSON.parse(stores.stdout)).toHaveLength(3);
  const { ca, cert, key } = tlsFilesOf(certificates, "client");
  Object.assign(process.env, { FLAREDB_TLS_CA: ca, FLAREDB_TLS_CERT: cert, FLAREDB_TLS_KEY: key });
  try {
    expect((await rdb(["--pd", cluster.pdAddress, "get", "cli"])).stdout).toBe("2\n");
  } finally {
    for (const name of ["FLAREDB_TLS_CA", "FLAREDB_TLS_CERT", "FLAREDB_TLS_KEY"]) {
      delete process.env[name];
    }
  }
});

test("who shows nothing, or what a foreign authority signed, gets nothing of RPC", async () => {
  const { ca } = tlsFilesOf(certificates, "client");
  const { cert, key } = tlsFilesOf(join(folder, "foreign"), "client");
  const unavailable = { code: "RDB_PD_UNAVAILABLE" };
  await expect(RdbClient.connect({ pd: cluster.pdAddress })).rejects.toMatchObject(unavailable);
  const strangersFiles: readonly Partial<CertificateFiles>[] = [{ ca }, { ca, cert, key }];
  for (const files of strangersFiles) {
    await expect(RdbClient.connect({ pd: cluster.pdAddress, tls: files })).rejects.toMatchObject(unavailable);
    for (const { address } of cluster.stores) {
      expect(await greeting(address, files)).toBeUndefined();
    }
  }
  const { exitCode, stderr } = await rdb(["--pd", cluster.pdAddress, "get", "cli"]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("no placement driver answers");
  const bare = await rdb(["--pd", cluster.pdAddress, "--tls-ca", ca, "get", "cli"]);
  expect(bare.stderr).toMatch(/demands a certificate|does it demand a certificate/);
});

/** The first bytes that a server says to who speaks HTTP/2; undefined: it hangs up. */
async function greeting(address: string, files: Partial<CertificateFiles>): Promise<unknown> {
  const { host, port } = parseAddress(address);
  const read = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file));
  const socket = tls.connect({
    ...{ host, port, ALPNProtocols: ["h2"] },
    ...{ ca: read(files.ca), cert: read(files.cert), key: read(files.key) },
  });
  socket.on("error", () => socket.destroy());
  let first: Buffer | undefined;
  socket.once("data", (bytes: Buffer) => {
    first = bytes;
    socket.destroy();
  });
  socket.once("secureConnect", () => socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
  await new Promise((resolve) => socket.once("close", resolve));
  return first;
}

test("nor of HTTP", async () => {
  const client = tlsFilesOf(certificates, "client");
  const own = {
    ca: readFileSync(client.ca),
    cert: readFileSync(client.cert),
    key: readFileSync(client.key),
  };
  for (const plainUrl of [cluster.pdHttpUrl, ...cluster.stores.map(({ httpUrl }) => httpUrl)]) {
    const url = plainUrl.replace("http:", "https:");
    expect(await healthOf(url, own)).toBe(200);
    await expect(healthOf(plainUrl)).rejects.toThrow(/hang up|ECONNRESET/);
    for (const stranger of Object.values(strangers())) {
      await expect(healthOf(url, stranger)).rejects.toThrow(/alert|hang up|ECONNRESET/);
    }
  }
});

test("the doctor examines the cluster, and the admin API answers, to who shows a certificate alone", async () => {
  const { stdout, stderr } = await rdbAs("client", "--json", "doctor");
  expect(stderr).toBe("");
  expect(stdout).toContain("{");
  const { ca, cert, key } = tlsFilesOf(certificates, "client");
  const own = { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) };
  const url = cluster.pdHttpUrl.replace("http:", "https:");
  expect(await statusOf(`${url}/api/v1/cluster`, own)).toBe(200);
  for (const stranger of Object.values(strangers())) {
    await expect(statusOf(`${url}/api/v1/cluster`, stranger)).rejects.toThrow(/alert|hang up|ECONNRESET/);
  }
});

test("certificates are replaced while all run, and new connections are made with them", async () => {
  const client = await cluster.connect();
  const renewed = join(folder, "renewed");
  await createCertificates(renewed, "--ca-dir", certificates);
  for (const file of MEMBERS.flatMap((name) => [`${name}.key`, `${name}.crt`])) {
    copyFileSync(join(renewed, file), join(certificates, file));
  }
  // One is told, the others look by themselves.
  cluster.stores[0]?.reload();
  const members: readonly [ManagedProcess, string][] = [
    [cluster.pd, cluster.pdAddress],
    ...cluster.stores.map((store: TestStore): [ManagedProcess, string] => [store, store.address]),
  ];
  const shown = members.map(([{ plan }, address]) => {
    const { serialNumber } = new X509Certificate(readFileSync(join(renewed, `${plan.name}.crt`)));
    return waitFor(`${plan.name} to show its new certificate`, 10_000, async () =>
      (await shownSerial(address)) === serialNumber ? true : undefined,
    );
  });
  await Promise.all(shown);
  await client.put("sdk", "3");
  expect((await rdbAs("client", "get", "sdk")).stdout).toBe("3\n");
  await cluster.stores[0]?.stop();
  await cluster.stores[0]?.launch();
  await cluster.waitUntilServing();
  expect((await client.get("sdk"))?.text()).toBe("3");
  expect(cluster.unexpectedEnds()).toEqual([]);
});

async function shownSerial(address: string): Promise<string> {
  const { host, port } = parseAddress(address);
  const { ca, cert, key } = tlsFilesOf(certificates, "client");
  const socket = tls.connect({
    ...{ host, port, ALPNProtocols: ["h2"], ca: readFileSync(ca) },
    ...{ cert: readFileSync(cert), key: readFileSync(key) },
  });
  await once(socket, "secureConnect");
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

test("without TLS a process listens beyond loopback only when told to", async () => {
  const programs = ["server", "pd"];
  const ends = await Promise.all(
    programs.map((program) => rdb([program, "--data-dir", join(folder, "none"), "--host", "0.0.0.0"])),
  );
  for (const { exitCode, stderr } of ends) {
    expect(exitCode).toBe(2);
    expect(stderr).toContain("nothing is encrypted: give --tls-cert, --tls-key and --tls-ca");
    expect(stderr).toContain("or --insecure to allow it");
    expect(stderr).toContain("(RDB_CONFIG_INVALID)");
  }
});
