import type { Clock, Logger } from "@flaredb/rdb-base";
import type { TlsFiles } from "./tls-files.ts";
import { TlsIdentity } from "./tls-identity.ts";

/**
 * The identity of a process that runs for long: its files are watched, and what becomes of changes is logged.
 *
 * @returns undefined when no file is named
 * @throws RdbError RDB_CONFIG_INVALID when a file cannot be read, or the files do not fit together
 */
export function processTls(
  files: TlsFiles,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): TlsIdentity | undefined {
  if (files.cert === undefined && files.ca === undefined) {
    return undefined;
  }
  const identity = TlsIdentity.open(files);
  identity.watch({
    clock,
    onReplaced: () => logger.info({ ...files }, "the TLS files were replaced: new connections use them"),
    onUnusable: ({ message }) =>
      logger.error(
        { problem: message },
        "the TLS files that are there now cannot be used: those before stay",
      ),
  });
  return identity;
}
