import { readFileSync } from "node:fs";
import type { RequestOptions } from "node:https";
import type { TlsFiles } from "@flaredb/rdb-wire";

/** The files' contents, as requests over HTTPS take them; nothing without encryption. */
export function readTlsFiles(tls: TlsFiles | undefined): Pick<RequestOptions, "ca" | "cert" | "key"> {
  const read = (path: string | undefined): Buffer | undefined =>
    path === undefined ? undefined : readFileSync(path);
  return tls === undefined ? {} : { ca: read(tls.ca), cert: read(tls.cert), key: read(tls.key) };
}
