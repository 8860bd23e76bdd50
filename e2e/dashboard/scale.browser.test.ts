import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "../cluster.ts";
import { DESKTOP, TestBrowser } from "./browser.ts";

// 5,000 Regions: PD's pages are made up here, the dashboard is the real one.

const REGION_COUNT = 5_000;
const PAGE_COUNT = 1_000;
/** Elements of a page, however long its lists are. */
const ELEMENTS_MAX_COUNT = 1_500;

let cluster: TestCluster;
let browser: TestBrowser;

beforeAll(async () => {
  cluster = await TestCluster.start();
  await cluster.waitUntilServing();
  browser = await TestBrowser.start();
});
afterAll(async () => {
  await browser?.close();
  await cluster?.dispose();
});

test("a list of 5,000 Regions draws what is seen of it, wherever it is scrolled and however it is ordered", async () => {
  const opened = await browser.open("about:blank", DESKTOP);
  const { page } = opened;
  await page.route("**/api/v1/regions?**", (route) =>
    route.fulfill({ json: pageFrom(route.request().url()) }),
  );
  await page.route("**/api/v1/regions", (route) => route.fulfill({ json: pageFrom(route.request().url()) }));
  await page.goto(`${cluster.pdHttpUrl}/dashboard/#/regions`);
  await page.getByText("5,000 Regions", { exact: true }).waitFor();
  const elements = (): Promise<unknown> => page.evaluate("document.querySelectorAll('*').length");
  expect(await elements()).toBeLessThan(ELEMENTS_MAX_COUNT);
  const box = page.getByRole("region", { name: "Regions", exact: true });
  for (const [at, id] of [
    [1, 5_000],
    [0.5, 2_500],
    [0, 1],
  ]) {
    await box.evaluate((element, share) => {
      element.scrollTop = share * (element.scrollHeight - element.clientHeight);
    }, at as number);
    await page.getByRole("link", { name: String(id), exact: true }).waitFor();
    expect(await elements()).toBeLessThan(ELEMENTS_MAX_COUNT);
  }
  await page.getByText("Size", { exact: true }).first().click();
  await page.getByRole("link", { name: "5000", exact: true }).waitFor();
  const rowCount = await page.locator("table.table").getAttribute("aria-rowcount");
  expect(rowCount).toBe("5001");
  const frames = (await page.evaluate(SCROLL_FRAMES)) as number[];
  const worstMs = Math.max(...frames);
  console.log(`${frames.length} frames while scrolling, the slowest ${worstMs.toFixed(0)} ms`);
  expect(opened.errors).toEqual([]);
  await opened.close();
});

/** Scrolls through all of the list and says how long each frame took: for people to read, not to judge. */
const SCROLL_FRAMES = `new Promise((done) => {
  const box = document.querySelector(".table-box");
  const times = [];
  let last = performance.now();
  const step = (now) => {
    times.push(now - last);
    last = now;
    box.scrollTop += 4000;
    times.length < 40 ? requestAnimationFrame(step) : done(times);
  };
  requestAnimationFrame(step);
})`;

function pageFrom(url: string): object {
  const start = new URL(url).searchParams.get("startKeyHex") ?? "";
  const first = start === "" ? 0 : Number(Buffer.from(start, "hex").toString());
  const ids = Array.from({ length: PAGE_COUNT }, (_, at) => first + at + 1);
  const next = first + PAGE_COUNT;
  return {
    regions: ids.map(region),
    nextKey: next < REGION_COUNT ? keyOf(next) : null,
    nextKeyHex: next < REGION_COUNT ? hexOf(next) : null,
  };
}

function region(id: number): object {
  const peers = [1, 2, 3].map((storeId) => ({ id: id * 3 + storeId, storeId, role: "voter" }));
  const load = {
    writtenBytesPerSecond: 0,
    writtenKeysPerSecond: id % 7,
    readBytesPerSecond: 0,
    readKeysPerSecond: 0,
  };
  return {
    ...{ id, startKey: keyOf(id - 1), startKeyHex: hexOf(id - 1), endKey: keyOf(id), endKeyHex: hexOf(id) },
    ...{ epoch: { confVer: 1, version: 1 }, peers, leader: peers[id % 3], term: 6, load, reportedMs: 1 },
    ...{ approximateSizeBytes: id * 1_000, approximateKeyCount: id, verifiedIndex: 0 },
    ...{ downPeerIds: [], pendingPeerIds: [], damagedPeerIds: [] },
  };
}

function keyOf(place: number): string {
  return place === 0 || place === REGION_COUNT ? "" : String(place).padStart(6, "0");
}

function hexOf(place: number): string {
  return Buffer.from(keyOf(place)).toString("hex");
}
