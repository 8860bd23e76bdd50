import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { TestCluster } from "../cluster.ts";
import { type OpenPage, TestBrowser, type View } from "./browser.ts";
import { runWorkload, splitKeys } from "./workload.ts";

// `npm run screenshots`: the pictures of the documents, of a real cluster under a load. Takes some minutes: the heat map
// has to have something to show.

const FOLDER = fileURLToPath(new URL("../../docs/images", import.meta.url));
const LOAD_MS = Number(process.env["FLAREDB_SCREENSHOT_LOAD_MS"] ?? 200_000);
const CLIENTS = 12;
const SETTLE_MS = 3_000;
/** Of one picture: they lie in the repository. */
const PICTURE_MAX_BYTES = 200 * 1_024;

const wide = { width: 1_280, height: 800 };
const pictures: readonly { readonly name: string; readonly address: string; readonly view: View }[] = [
  { name: "overview-light", address: "", view: { theme: "light", ...wide } },
  { name: "overview-dark", address: "", view: { theme: "dark", ...wide } },
  { name: "heat-map", address: "heat", view: { theme: "dark", ...wide } },
  { name: "region", address: "regions/10", view: { theme: "light", ...wide, height: 980 } },
  { name: "narrow", address: "", view: { theme: "dark", width: 375, height: 812 } },
];

const cluster = await TestCluster.start({ initialRegions: splitKeys().join(",") });
const stop = new AbortController();
try {
  await cluster.waitUntilServing();
  const load = runWorkload({ pd: cluster.pdAddress, clients: CLIENTS, signal: stop.signal });
  const browser = await TestBrowser.start();
  const watching = await browser.open(`${cluster.pdHttpUrl}/dashboard/`);
  console.log(`a load for ${LOAD_MS / 1_000} s …`);
  await pause(LOAD_MS);
  mkdirSync(FOLDER, { recursive: true });
  for (const { name, address, view } of pictures) {
    await take(
      await browser.open(`${cluster.pdHttpUrl}/dashboard/#/${address}`, view),
      join(FOLDER, `${name}.png`),
    );
  }
  await watching.close();
  await browser.close();
  stop.abort();
  await load;
} finally {
  stop.abort();
  await cluster.dispose();
}

async function take(opened: OpenPage, path: string): Promise<void> {
  const { page, errors } = opened;
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  // All of its figures, and the charts with them.
  await pause(SETTLE_MS);
  await page.screenshot({ path });
  const { size } = statSync(path);
  console.log(`${path}: ${Math.round(size / 1_024)} KiB`);
  if (size > PICTURE_MAX_BYTES || errors.length > 0) {
    throw new Error(`${path}: ${size} bytes; ${errors.join("; ")}`);
  }
  await opened.close();
}
