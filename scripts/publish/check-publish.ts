// `npm run check:publish`: packs the SDK as it would be published, lets publint and attw look at it, installs it into an
// empty project, and uses it against a running cluster from each Node that it promises to run on.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestCluster } from "../../packages/rdb-client/src/testing/index.ts";
import { lintPackage } from "./lint-packages.ts";
import { packSdk } from "./pack.ts";
import { nodeVersions } from "./packages.ts";
import { installedNode, installSdk, useSdk } from "./use-sdk.ts";

const folder = await mkdtemp(join(tmpdir(), "flaredb-publish-"));
try {
  const tarballs = await packSdk(folder);
  for (const [name, tarball] of tarballs) {
    const faults = await lintPackage(tarball);
    if (faults.length > 0) {
      throw new Error(`${name}, as it would be published:\n${faults.join("\n")}`);
    }
    console.log(`✓ ${name}: publint and attw find nothing`);
  }
  const project = await installSdk(folder, [...tarballs.values()]);
  await using cluster = await startTestCluster({ stores: 3, splitKeys: ["m"] });
  const nodes = [
    process.execPath,
    ...(await Promise.all(nodeVersions.map((version) => installedNode(folder, version)))),
  ];
  for (const node of nodes) {
    console.log(`✓ ${await useSdk(node, project, cluster.pdAddress)}`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
