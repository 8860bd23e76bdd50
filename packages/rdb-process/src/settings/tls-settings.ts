import { z } from "zod";
import type { Flag } from "./program-settings.ts";
import { about } from "./setting.ts";

const path = z.string().min(1).optional();

/** Who a process is, and whom it trusts: PEM files that are read again whenever they change. */
export const tlsSchema = z
  .strictObject({
    cert: path.meta(
      about("PEM file with the process's own certificate: everything it listens on speaks TLS 1.3."),
    ),
    key: path.meta(about("PEM file with the private key of `tls.cert`.")),
    ca: path.meta(
      about(
        "PEM file with the authorities whose certificates are trusted: clients and servers have to show one. Default: the system's for servers, and clients show none.",
      ),
    ),
  })
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), {
    path: ["key"],
    error: "and tls.cert must be given together",
  })
  .refine(({ cert, ca }) => ca === undefined || cert !== undefined, {
    path: ["ca"],
    error: "needs a certificate of its own beside it: give --tls-cert and --tls-key too",
  });

/** Their flags, in the order of the help. */
export const tlsFlags: readonly Flag[] = [
  { name: "tls-cert", setting: "tls.cert" },
  { name: "tls-key", setting: "tls.key" },
  { name: "tls-ca", setting: "tls.ca" },
];

/** Their lines of the help, with the one of `insecure`. */
export const tlsUsage = `  --tls-cert FILE         its certificate, PEM: it listens with TLS, and shows it to those it calls
  --tls-key FILE          the certificate's private key, PEM
  --tls-ca FILE           authorities it trusts, PEM: who calls has to show a certificate (mutual TLS)
  --insecure              listen beyond loopback though nothing is encrypted`;

/** What is wrong where a process would listen beyond loopback without TLS, and what to do. */
export const tlsMissing =
  "and nothing is encrypted: give --tls-cert, --tls-key and --tls-ca (`rdb cert create` makes them), or --insecure to allow it";
