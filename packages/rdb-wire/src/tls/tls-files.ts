import { X509Certificate, createPrivateKey } from "node:crypto";
import { createSecureContext } from "node:tls";
import { RdbError } from "@flaredb/rdb-base";

/** Where a process's certificates lie: PEM files. */
export interface TlsFiles {
  /** Its own certificate, with those in between up to the authority's, if there are any. With `key`. */
  readonly cert?: string | undefined;
  /** The certificate's private key. */
  readonly key?: string | undefined;
  /**
   * The authorities whose certificates are trusted. A server then demands one of every client. Default: the system's,
   * for the servers that are called; clients are asked for none.
   */
  readonly ca?: string | undefined;
}

/** What stands in the files. */
export interface TlsMaterial {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly ca?: Buffer;
}

export const tlsParts = ["cert", "key", "ca"] as const;

/**
 * Whether the material can be used: the authorities can be read, and the key is the certificate's.
 *
 * @throws RdbError RDB_CONFIG_INVALID naming the files
 */
export function checkMaterial(files: TlsFiles, material: TlsMaterial): void {
  const { cert, key, ca } = material;
  if ((cert === undefined) !== (key === undefined)) {
    throw new RdbError("RDB_CONFIG_INVALID", "a TLS certificate and its key must be given together");
  }
  if (ca !== undefined) {
    attempt(`TLS authorities in ${files.ca} cannot be read`, () => new X509Certificate(ca));
  }
  if (cert !== undefined && key !== undefined) {
    const certificate = attempt(
      `TLS certificate ${files.cert} cannot be read`,
      () => new X509Certificate(cert),
    );
    const privateKey = attempt(`TLS key ${files.key} cannot be read`, () => createPrivateKey(key));
    if (!certificate.checkPrivateKey(privateKey)) {
      throw new RdbError(
        "RDB_CONFIG_INVALID",
        `TLS key ${files.key} is not the one of certificate ${files.cert}`,
      );
    }
  }
  attempt("TLS files cannot be used", () => createSecureContext(material));
}

/** @throws RdbError RDB_CONFIG_INVALID with what went wrong, and in which file */
export function attempt<Result>(what: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw unusable(what, error);
  }
}

export function unusable(what: string, error: unknown): RdbError {
  const why = error instanceof Error ? error.message : String(error);
  return new RdbError("RDB_CONFIG_INVALID", `${what}: ${why}`, { cause: error });
}
