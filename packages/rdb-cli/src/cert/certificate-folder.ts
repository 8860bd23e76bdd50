import { mkdir, readFile, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { X509Certificate } from "node:crypto";
import { HOUR_MS, RdbError } from "@flaredb/rdb-base";
import { type CertificatePair, createAuthority, issueCertificate } from "./certificates.ts";

/** Whom a certificate is for. */
export interface CertificateOwner {
  /** Names the files: `NAME.crt` and `NAME.key`. */
  readonly name: string;
  /** Names and IP addresses at which it is reached. */
  readonly hosts: readonly string[];
}

export interface CertificatePlan {
  /** Where the certificates go; made when it is not there. */
  readonly folder: string;
  /** Where the authority's `ca.crt` and `ca.key` lie, or are made when neither is there. */
  readonly caFolder: string;
  readonly owners: readonly CertificateOwner[];
  /** How long the certificates count; never longer than the authority's. */
  readonly days: number;
  readonly nowMs: number;
}

/** Files of the authority; nobody else may be called so. */
const CA_NAME = "ca";
const CA_DAYS = 3_650;
const DAY_MS = 24 * HOUR_MS;
/** Clocks of other machines may be behind. */
const BACKDATED_MS = 1 * HOUR_MS;

const KEY_MODE = 0o600;
const CERTIFICATE_MODE = 0o644;

/**
 * Makes a certificate and a key for each owner, and an authority that signs them unless there is one.
 *
 * @returns the files that were made
 * @throws RdbError RDB_ALREADY_EXISTS when one of them is there: nothing is made, nothing is overwritten
 * @throws RdbError RDB_CONFIG_INVALID when only one of the authority's two files is there
 */
export async function createCertificates(plan: CertificatePlan): Promise<string[]> {
  const { folder, caFolder, owners, nowMs } = plan;
  const notBefore = new Date(nowMs - BACKDATED_MS);
  refuseExisting(owners.flatMap(({ name }) => [certificateFile(folder, name), keyFile(folder, name)]));
  await mkdir(caFolder, { recursive: true });
  await mkdir(folder, { recursive: true });
  const made: string[] = [];
  let authority = await readAuthority(caFolder);
  if (authority === undefined) {
    const notAfter = new Date(nowMs + CA_DAYS * DAY_MS);
    authority = await createAuthority("FlareDB CA", { notBefore, notAfter });
    made.push(...(await writePair(caFolder, CA_NAME, authority)));
  }
  if (!existsSync(certificateFile(folder, CA_NAME))) {
    made.push(await writeNew(certificateFile(folder, CA_NAME), authority.certificatePem, CERTIFICATE_MODE));
  }
  const caEndMs = new X509Certificate(authority.certificatePem).validToDate.getTime();
  const notAfter = new Date(Math.min(nowMs + plan.days * DAY_MS, caEndMs));
  for (const { name, hosts } of owners) {
    const pair = await issueCertificate(authority, { name, hosts, notBefore, notAfter });
    made.push(...(await writePair(folder, name, pair)));
  }
  return made;
}

function certificateFile(folder: string, name: string): string {
  return join(folder, `${name}.crt`);
}

function keyFile(folder: string, name: string): string {
  return join(folder, `${name}.key`);
}

function refuseExisting(files: readonly string[]): void {
  const existing = files.filter((file) => existsSync(file));
  if (existing.length > 0) {
    throw alreadyThere(existing.join(", "));
  }
}

/** undefined: it is still to be made. */
async function readAuthority(folder: string): Promise<CertificatePair | undefined> {
  const [certificate, key] = [certificateFile(folder, CA_NAME), keyFile(folder, CA_NAME)];
  if (!existsSync(certificate) && !existsSync(key)) {
    return undefined;
  }
  if (!existsSync(certificate) || !existsSync(key)) {
    const [there, missing] = existsSync(key) ? [key, certificate] : [certificate, key];
    throw new RdbError(
      "RDB_CONFIG_INVALID",
      `${there} is there and ${missing} is not: both are needed to sign; say with --ca-dir where they lie`,
    );
  }
  return { certificatePem: await readFile(certificate, "utf8"), keyPem: await readFile(key, "utf8") };
}

async function writePair(folder: string, name: string, pair: CertificatePair): Promise<string[]> {
  return [
    await writeNew(keyFile(folder, name), pair.keyPem, KEY_MODE),
    await writeNew(certificateFile(folder, name), pair.certificatePem, CERTIFICATE_MODE),
  ];
}

/** Fails where a file appeared since it was looked for. */
async function writeNew(file: string, text: string, mode: number): Promise<string> {
  try {
    await writeFile(file, text, { flag: "wx", mode });
  } catch (error) {
    throw error instanceof Error && "code" in error && error.code === "EEXIST" ? alreadyThere(file) : error;
  }
  return file;
}

function alreadyThere(files: string): RdbError {
  return new RdbError(
    "RDB_ALREADY_EXISTS",
    `${files} is there already and is not overwritten: move it away, or choose another folder with --dir`,
  );
}
