// Writes the data folders that the upgrade test begins with: node e2e/make-upgrade-data.ts
// Needed again only when the test is to begin from another commit.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OLD_COMMIT, OLD_DATA_FILE, packFolders, writeOldRows } from "./upgrade/old-data.ts";
import { makeOldTree } from "./upgrade/old-tree.ts";
import { UpgradeCluster } from "./upgrade/upgrade-cluster.ts";

const folder = mkdtempSync(join(tmpdir(), "flaredb-old-tree-"));
const tree = join(folder, "tree");
const cluster = await UpgradeCluster.prepare();
try {
  await makeOldTree(OLD_COMMIT, tree);
  await cluster.start(tree);
  await writeOldRows(await cluster.connect());
  for (const process of [...cluster.stores, cluster.pd]) {
    await process.stop();
  }
  await packFolders(
    cluster.folder,
    ["pd", ...cluster.stores.map((_, at) => `store-${at + 1}`)],
    OLD_DATA_FILE,
  );
  console.log(`${OLD_DATA_FILE}: ${statSync(OLD_DATA_FILE).size} bytes, of commit ${OLD_COMMIT}`);
} finally {
  await cluster.dispose();
  rmSync(folder, { recursive: true, force: true });
}
