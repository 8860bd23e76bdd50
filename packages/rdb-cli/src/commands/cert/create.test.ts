import { X509Certificate, createPrivateKey } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Captured, runCaptured } from "../../testing/run-captured.ts";

const DAY_MS = 86_400_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rdb-cert-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function create(...args: readonly string[]): Promise<Captured> {
  return runCaptured(["cert", "create", "--dir", folder, ...args]);
}

function read(file: string): Buffer {
  return readFileSync(join(folder, file));
}

test("an authority, and a certificate for each name with its hosts", async () => {
  const { exitCode, stdout } = await create("pd-1=pd-1,10.0.0.1,::1", "client");
  expect(exitCode).toBe(0);
  const files = ["ca.key", "ca.crt", "pd-1.key", "pd-1.crt", "client.key", "client.crt"];
  expect(stdout).toBe(files.map((file) => `${join(folder, file)}\n`).join(""));
  const ca = new X509Certificate(read("ca.crt"));
  expect(ca.ca).toBe(true);
  const [pd, client] = [new X509Certificate(read("pd-1.crt")), new X509Certificate(read("client.crt"))];
  for (const certificate of [pd, client]) {
    expect(certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.checkIssued(ca)).toBe(true);
    expect(certificate.ca).toBe(false);
  }
  expect(pd.checkPrivateKey(createPrivateKey(read("pd-1.key")))).toBe(true);
  expect(pd.checkHost("pd-1")).toBe("pd-1");
  expect([pd.checkIP("10.0.0.1"), pd.checkIP("::1")]).toEqual(["10.0.0.1", "::1"]);
  expect(pd.checkHost("client")).toBeUndefined();
  expect(client.checkHost("client")).toBe("client");
});

test("keys can be read by their owner alone", async () => {
  await create("a");
  const modes = readdirSync(folder).map((file) => [file, statSync(join(folder, file)).mode & 0o077]);
  expect(modes.filter(([, others]) => others === 0)).toEqual([
    ["a.key", 0],
    ["ca.key", 0],
  ]);
});

test("nothing is overwritten, and the authority that is there signs what is new", async () => {
  await create("a");
  const before = readdirSync(folder).map((file) => [file, read(file).toString()]);
  const again = await create("b", "a");
  expect(again.exitCode).toBe(1);
  expect(again.stderr).toContain("a.crt");
  expect(again.stderr).toContain("is not overwritten");
  expect(readdirSync(folder).map((file) => [file, read(file).toString()])).toEqual(before);
  expect((await create("b")).exitCode).toBe(0);
  expect(new X509Certificate(read("b.crt")).checkIssued(new X509Certificate(read("ca.crt")))).toBe(true);
});

test("the authority may lie elsewhere; its key stays there", async () => {
  const caDir = join(folder, "authority");
  expect((await create("a", "--ca-dir", caDir)).exitCode).toBe(0);
  expect(readdirSync(folder).sort()).toEqual(["a.crt", "a.key", "authority", "ca.crt"]);
  expect(readdirSync(caDir).sort()).toEqual(["ca.crt", "ca.key"]);
  const without = await create("b");
  expect(without.exitCode).toBe(2);
  expect(without.stderr).toContain("ca.key is not: both are needed to sign; say with --ca-dir");
});

test("an authority of another kind is refused", async () => {
  await create("a");
  writeFileSync(join(folder, "ca.key"), "no key");
  const { exitCode, stderr } = await create("b");
  expect(exitCode).toBe(2);
  expect(stderr).toContain("the authority's key cannot be used: it must be one of ECDSA on P-256");
  expect(readdirSync(folder)).not.toContain("b.key");
});

test("it counts for as long as is asked, from a little before now on", async () => {
  await create("a", "--days", "7");
  const { validFromDate, validToDate } = new X509Certificate(read("a.crt"));
  expect(validFromDate.getTime()).toBeLessThan(Date.now() - DAY_MS / 48);
  expect(Math.abs(validToDate.getTime() - Date.now() - 7 * DAY_MS)).toBeLessThan(DAY_MS / 24);
});

test.each([
  [["ca"], "ca is the authority itself"],
  [["../a"], "must be NAME or NAME=HOST,HOST"],
  [["a=h:1"], 'host "h:1" of a must be a name or an IP address, without a port'],
  [["a="], 'host "" of a must be'],
  [["a", "a=b"], "a name is given twice"],
  [["a", "--days", "0"], "days 0 must be a whole number from 1 to 3650"],
])("%j is refused", async (args, message) => {
  const { exitCode, stderr } = await create(...args);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(message);
  expect(readdirSync(folder)).toEqual([]);
});
