// The last step of build.sh: `node finish-build.mjs OUT`. Makes what `pnpm deploy` left in OUT run by itself, from
// compiled code, and takes out what no program reads.
import {
  chmodSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const [out] = process.argv.slice(2);
if (out === undefined) {
  throw new Error("usage: node finish-build.mjs OUT");
}
const store = join(out, "node_modules", ".pnpm");

/** The folder of each package in the virtual store whose name begins so. */
function packagesOf(prefix, path) {
  return readdirSync(store)
    .filter((entry) => entry.startsWith(prefix))
    .map((entry) => join(store, entry, "node_modules", path(entry)));
}

/** As `pnpm publish` would: the entries that others import are those of `dist/`. */
function pointExportsAtDist(folder) {
  const file = join(folder, "package.json");
  const { publishConfig, ...manifest } = JSON.parse(readFileSync(file, "utf8"));
  if (publishConfig?.exports === undefined) {
    throw new Error(`${file} says nothing of publishConfig.exports`);
  }
  // A new file: what pnpm deployed may be a hard link to the sources.
  rmSync(file);
  writeFileSync(file, `${JSON.stringify({ ...manifest, exports: publishConfig.exports }, null, 2)}\n`);
}

const own = packagesOf("@flaredb+", (entry) => entry.replace("+", "/").replace(/@file.*$/, ""));
for (const folder of [out, ...own]) {
  pointExportsAtDist(folder);
}

// RocksDB's sources, and its binaries for other platforms.
const platform = `${process.platform}-${process.arch}`;
for (const folder of packagesOf("@nxtedition+rocksdb@", () => "@nxtedition/rocksdb")) {
  const prebuilds = join(folder, "prebuilds");
  if (!existsSync(join(prebuilds, platform))) {
    throw new Error(`RocksDB has no binary for ${platform} in ${prebuilds}`);
  }
  const others = readdirSync(prebuilds).filter((name) => name !== platform);
  for (const path of ["deps", "prebuilds.zip", ...others.map((name) => join("prebuilds", name))]) {
    rmSync(join(folder, path), { recursive: true, force: true });
  }
}
for (const name of ["pnpm-lock.yaml", "pnpm-workspace.yaml"]) {
  rmSync(join(out, name), { force: true });
}

const programs = {
  rdb: "rdb.mjs",
  "rdb-pd": "../node_modules/@flaredb/rdb-pd/bin/rdb-pd.mjs",
  "rdb-server": "../node_modules/@flaredb/rdb-server/bin/rdb-server.mjs",
};
for (const [name, target] of Object.entries(programs)) {
  symlinkSync(target, join(out, "bin", name));
  chmodSync(join(out, "bin", name), 0o755);
}
