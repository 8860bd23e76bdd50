/** The programs that `rdb` can become. */
export type ProcessKind = "server" | "pd";

const programs: Readonly<Record<ProcessKind, { readonly packageName: string; readonly bin: string }>> = {
  server: { packageName: "@flaredb/rdb-server", bin: "../bin/rdb-server.mjs" },
  pd: { packageName: "@flaredb/rdb-pd", bin: "../bin/rdb-pd.mjs" },
};

/** Becomes a Store or the placement driver, in this process, with `args` as its command line. */
export async function runProcess(kind: ProcessKind, args: readonly string[]): Promise<void> {
  const { packageName, bin } = programs[kind];
  // `exports` hides the program's file; it lies beside the folder of the package's entry.
  const program = new URL(bin, import.meta.resolve(packageName));
  process.argv.splice(2, Number.POSITIVE_INFINITY, ...args);
  await import(program.href);
}
