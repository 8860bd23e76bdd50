import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type SecureContext, type SecureContextOptions, createSecureContext } from "node:tls";
import { type Clock, RdbError, SECOND_MS, type Timer } from "@flaredb/rdb-base";
import { type TlsFiles, type TlsMaterial, attempt, checkMaterial, tlsParts, unusable } from "./tls-files.ts";

/** Who is told what became of files that changed. */
export interface TlsListener {
  /** They are in use: for every connection that is made from now on. */
  readonly onReplaced?: () => void;
  /** They cannot be used, and those before stay. Told once, until they change again. */
  readonly onUnusable?: (error: RdbError) => void;
}

export interface TlsWatch extends TlsListener {
  readonly clock: Clock;
  /** Between two looks at the files. Default 1 s. */
  readonly intervalMs?: number;
}

/** Files of a few KiB each. */
const WATCH_INTERVAL_MS = 1 * SECOND_MS;

/** The one version that is spoken. */
const TLS_VERSION = "TLSv1.3";

/**
 * Who a process is and whom it trusts: shared by everything it listens on and calls. Its files may be replaced while it
 * runs; connections that are open stay as they are.
 */
export class TlsIdentity {
  readonly #files: TlsFiles;
  #material: TlsMaterial;
  #context: SecureContext;
  /** Of the files as they are in use. */
  #fingerprint: string;
  #refused: Refused | undefined;
  readonly #servers = new Set<(options: SecureContextOptions) => void>();
  #watch: TlsWatch | undefined;
  #timer: Timer | undefined;

  /** @throws RdbError RDB_CONFIG_INVALID when a file cannot be read, or the files do not fit together */
  static open(files: TlsFiles): TlsIdentity {
    const material: { [Part in (typeof tlsParts)[number]]?: Buffer } = {};
    for (const part of tlsParts) {
      const path = files[part];
      if (path !== undefined) {
        material[part] = attempt(`TLS file ${path} cannot be read`, () => readFileSync(path));
      }
    }
    checkMaterial(files, material);
    return new TlsIdentity(files, material);
  }

  private constructor(files: TlsFiles, material: TlsMaterial) {
    this.#files = files;
    this.#material = material;
    this.#context = createSecureContext(contextOptions(material));
    this.#fingerprint = fingerprintOf(material);
  }

  /** For the next connection that is made. */
  get secureContext(): SecureContext {
    return this.#context;
  }

  /** Whether clients have to show a certificate that one of the authorities signed. */
  get demandsCertificates(): boolean {
    return this.#files.ca !== undefined;
  }

  /** What a server is made with, and made with again whenever the files are replaced. */
  get contextOptions(): SecureContextOptions {
    return contextOptions(this.#material);
  }

  /** Whether there is a certificate to show where one is demanded. */
  get showsCertificate(): boolean {
    return this.#material.cert !== undefined;
  }

  /** `replace` is called with each new {@link contextOptions}, until what is returned is called. */
  onReplaced(replace: (options: SecureContextOptions) => void): () => void {
    this.#servers.add(replace);
    return () => this.#servers.delete(replace);
  }

  /** Looks at the files again and again until {@link close}. Called once. */
  watch(watch: TlsWatch): void {
    this.#watch = watch;
    this.#lookLater();
  }

  /** Looks at the files now. Never throws: what is wrong is told. */
  async reload(): Promise<void> {
    await this.#look();
    this.#tellRefused();
  }

  /** Looks at the files no more; what was made with it goes on. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#watch = undefined;
  }

  #lookLater(): void {
    const watch = this.#watch;
    this.#timer = watch?.clock.setTimer(
      watch.intervalMs ?? WATCH_INTERVAL_MS,
      () => void this.#lookAndGoOn(),
    );
  }

  /** Files are replaced one after the other: what does not fit together is told when the next look finds it unchanged. */
  async #lookAndGoOn(): Promise<void> {
    const before = this.#refused;
    await this.#look();
    if (this.#refused === before) {
      this.#tellRefused();
    }
    this.#lookLater();
  }

  async #look(): Promise<void> {
    const found = await readAll(this.#files);
    if (found.fingerprint === this.#fingerprint) {
      this.#refused = undefined;
    } else if (found.fingerprint !== this.#refused?.fingerprint) {
      this.#take(found);
    }
  }

  #take({ fingerprint, ...found }: Found): void {
    try {
      const material = "error" in found ? raise(found.error) : found.material;
      checkMaterial(this.#files, material);
      this.#context = createSecureContext(contextOptions(material));
      this.#material = material;
    } catch (error) {
      this.#refused = { fingerprint, error: RdbError.from(error), isTold: false };
      return;
    }
    this.#fingerprint = fingerprint;
    this.#refused = undefined;
    for (const replace of this.#servers) {
      replace(this.contextOptions);
    }
    this.#watch?.onReplaced?.();
  }

  #tellRefused(): void {
    if (this.#refused !== undefined && !this.#refused.isTold) {
      this.#refused.isTold = true;
      this.#watch?.onUnusable?.(this.#refused.error);
    }
  }
}

/** Files that were found and cannot be used. */
interface Refused {
  readonly fingerprint: string;
  readonly error: RdbError;
  isTold: boolean;
}

/** What a look at the files came to; the same again: the same fingerprint. */
type Found = { readonly fingerprint: string } & (
  | { readonly material: TlsMaterial }
  | { readonly error: RdbError }
);

function raise(error: RdbError): never {
  throw error;
}

function contextOptions(material: TlsMaterial): SecureContextOptions {
  return { ...material, minVersion: TLS_VERSION };
}

async function readAll(files: TlsFiles): Promise<Found> {
  try {
    const read = await Promise.all(
      tlsParts.map(async (part) => {
        const path = files[part];
        return path === undefined ? [] : [[part, await readOne(path)] as const];
      }),
    );
    const material: TlsMaterial = Object.fromEntries(read.flat());
    return { material, fingerprint: fingerprintOf(material) };
  } catch (caught) {
    const error = RdbError.from(caught);
    return { error, fingerprint: error.message };
  }
}

async function readOne(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw unusable(`TLS file ${path} cannot be read`, error);
  }
}

function fingerprintOf(material: TlsMaterial): string {
  return tlsParts
    .map((part) =>
      createHash("sha256")
        .update(material[part] ?? "")
        .digest("hex"),
    )
    .join("/");
}
