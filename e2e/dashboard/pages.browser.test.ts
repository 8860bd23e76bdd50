import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "../cluster.ts";
import { graveViolations } from "./axe.ts";
import { DESKTOP, type OpenPage, TestBrowser, type Theme } from "./browser.ts";
import { runWorkload, splitKeys } from "./workload.ts";

// Every page over a real cluster with a load on it, as people and as their tools see it.

let cluster: TestCluster;
let browser: TestBrowser;
let load: Promise<void>;
const stop = new AbortController();

beforeAll(async () => {
  cluster = await TestCluster.start({ initialRegions: splitKeys().join(",") });
  await cluster.waitUntilServing();
  load = runWorkload({ pd: cluster.pdAddress, clients: 4, signal: stop.signal });
  browser = await TestBrowser.start();
});
afterAll(async () => {
  stop.abort();
  await load;
  await browser?.close();
  await cluster?.dispose();
});

function open(address: string, view = DESKTOP): Promise<OpenPage> {
  return browser.open(`${cluster.pdHttpUrl}/dashboard/#/${address}`, view);
}

/** Pages, and a text of each that only real data makes. */
const pages = [
  {
    address: "",
    title: "Overview",
    text: /All is well: all 3 Stores answer, and all \d+ Regions have a leader\./,
  },
  { address: "stores", title: "Stores", text: /127\.0\.0\.1:\d+/ },
  { address: "stores?id=1", title: "Stores", text: /Its Regions/ },
  { address: "regions", title: "Regions", text: /order\/000006000 …/ },
  { address: "regions/1", title: "Regions", text: /balance-region/ },
  { address: "heat", title: "Key space", text: /Keys written a second/ },
  { address: "operators", title: "Operators", text: /Running and waiting/ },
  { address: "schedulers", title: "Schedulers", text: /balance-leader/ },
  { address: "events", title: "Events", text: /live/ },
  { address: "data?prefix=session/", title: "Data", text: /"user": \d+/ },
] as const;

describe.each(pages)("$title at #/$address", ({ address, title, text }) => {
  test.each<Theme>(["light", "dark"])(
    "shows real data without errors, and everybody can use it: %s",
    async (theme) => {
      const opened = await open(address, { ...DESKTOP, theme });
      const { page, errors } = opened;
      await page.getByText(text).first().waitFor();
      expect(await page.title()).toContain(`${title}`);
      expect(await page.locator("html").getAttribute("data-theme")).toBe(theme);
      expect(await graveViolations(page)).toEqual([]);
      expect(errors).toEqual([]);
      await opened.close();
    },
  );

  test("is of use on a narrow screen", async () => {
    const opened = await open(address, { theme: "light", width: 375, height: 812 });
    await opened.page.getByText(text).first().waitFor();
    const widths = await opened.page.evaluate("[document.documentElement.scrollWidth, innerWidth]");
    expect(widths).toEqual([375, 375]);
    expect(opened.errors).toEqual([]);
    await opened.close();
  });
});

describe("the dashboard", () => {
  test("is small, asks nobody but PD, and paints soon", async () => {
    const { page, requests, close } = await measured();
    const sizes = (await page.evaluate(
      "performance.getEntriesByType('resource').filter(({ name }) => name.includes('/assets/')).map(({ name, encodedBodySize }) => [name.split('.').at(-1), encodedBodySize])",
    )) as [string, number][];
    const sum = (kind: string): number =>
      sizes.reduce((total, [name, size]) => total + (name === kind ? size : 0), 0);
    const paintMs = await page.evaluate(
      "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1",
    );
    console.log(
      `first paint after ${String(paintMs)} ms; ${sum("js")} bytes of script, ${sum("css")} of style`,
    );
    expect(sum("js")).toBeGreaterThan(1_000);
    expect(sum("js")).toBeLessThan(150 * 1_024);
    expect(sum("css")).toBeLessThan(20 * 1_024);
    expect(requests.filter((url) => !url.startsWith(cluster.pdHttpUrl))).toEqual([]);
    expect(requests.filter((url) => url.includes("/dashboard/")).length).toBeLessThanOrEqual(4);
    await close();
  });

  async function measured() {
    const opened = await open("");
    await opened.page.getByRole("heading", { name: "Busiest Regions" }).waitFor();
    return { page: opened.page, requests: opened.requests, close: () => opened.close() };
  }

  test("throughput and latency are live", async () => {
    const opened = await open("");
    const reads = opened.page.locator(".figure", { hasText: "Reads" });
    await reads.getByText(/[1-9]\d*\/s/).waitFor();
    await reads.getByText(/99 % within [\d.]+ m?s/).waitFor();
    const chart = opened.page.getByRole("img", {
      name: /Requests a second: Reads [\d.,k]+\/s, Writes [\d.,k]+\/s/,
    });
    await chart.waitFor();
    await opened.close();
  });

  test("the heat map is drawn, gone through by keys, and zoomed to a Region", async () => {
    const opened = await open("heat");
    const { page } = opened;
    const map = page.locator("canvas.heat");
    await map.waitFor();
    // Read from a copy: Chromium warns of a canvas that is drawn to be seen and read again and again.
    const colours =
      "(() => { const c = document.querySelector('canvas.heat'); const copy = new OffscreenCanvas(c.width, c.height).getContext('2d', { willReadFrequently: true }); copy.drawImage(c, 0, 0); const { data } = copy.getImageData(0, 0, c.width, c.height); const seen = new Set(); for (let at = 0; at < data.length; at += 4) seen.add(data[at] << 16 | data[at + 1] << 8 | data[at + 2]); return seen.size; })()";
    await expect.poll(() => page.evaluate(colours), { timeout: 30_000 }).toBeGreaterThan(20);
    await map.focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowDown");
    await page.getByText(/^Chosen:/).waitFor();
    expect(await page.locator("#heat-cell").textContent()).toMatch(/\/s · .* … .* · \d\d:\d\d:\d\d to/);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Whole key space" }).waitFor();
    expect(page.url()).toContain("startKeyHex=");
    await map.focus();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Whole key space" }).waitFor({ state: "detached" });
    await map.focus();
    await page.keyboard.press("ArrowLeft");
    await page.getByRole("button", { name: "Open its Region" }).click();
    await page.getByRole("heading", { name: /^Region \d+$/ }).waitFor();
    expect(opened.errors).toEqual([]);
    await opened.close();
  });

  test("pages, the field above them and the theme are reached by keys", async () => {
    const opened = await open("");
    const { page } = opened;
    await page.getByRole("heading", { name: "Busiest Regions" }).waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the page");
    await page.keyboard.press("g");
    await page.keyboard.press("s");
    await page.getByRole("heading", { name: "Stores", level: 1 }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("session/1234");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: /^Region \d+$/ }).waitFor();
    await page.locator("body").press("Escape");
    await page.locator("main").focus();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("t");
    await page.keyboard.press("t");
    expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
    await opened.close();
  });

  test("an operator is seen when it begins and ends, with why", async () => {
    const opened = await open("events");
    await opened.page.getByText("live", { exact: true }).waitFor();
    const [first] = await cluster.regions();
    const leader = Number(first?.leader?.storeId);
    const toStoreId = [1, 2, 3].find((id) => id !== leader) ?? 1;
    const regionId = Number(first?.region?.id);
    const answer = await fetch(`${cluster.pdHttpUrl}/api/v1/operators`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ kind: "transfer-leader", regionId, toStoreId }),
    });
    expect(answer.status).toBe(202);
    await opened.page
      .getByText(new RegExp(`transfer-leader of Region ${regionId}, by admin: done`))
      .waitFor();
    await opened.goTo(`regions/${regionId}`);
    await opened.page.getByText("by admin").first().waitFor();
    expect(opened.errors).toEqual([]);
    await opened.close();
  });

  test("a scheduler is paused and resumed", async () => {
    const opened = await open("schedulers");
    const { page } = opened;
    await page.getByRole("button", { name: "Pause balance-leader" }).click();
    await page.getByRole("button", { name: "Resume balance-leader" }).click();
    await page.getByRole("button", { name: "Pause balance-leader" }).waitFor();
    await opened.close();
  });

  test("a row is shown as JSON, as text and in hex", async () => {
    const client = await cluster.connect();
    await client.put("a-row/1", JSON.stringify({ city: "Paris" }));
    const opened = await open("data?prefix=a-row");
    const { page } = opened;
    await page.getByRole("link", { name: "a-row/1" }).click();
    await page.getByText('"city": "Paris"').waitFor();
    await page.getByText("Hex", { exact: true }).click();
    await page.getByText(/000000 {2}7b 22 63/).waitFor();
    // Nobody has allowed it.
    for (const name of ["New row", "Change", "Delete"]) {
      expect(await page.getByRole("button", { name }).count()).toBe(0);
    }
    expect(await graveViolations(page)).toEqual([]);
    await opened.close();
  });

  test("a Store that ends is missed, with what to do, and welcomed back", async () => {
    const opened = await open("");
    const { page } = opened;
    await page
      .getByText(/^All is well/)
      .first()
      .waitFor();
    const [store] = cluster.stores;
    await store?.kill();
    await page
      .getByText(/Store \d does not answer/)
      .first()
      .waitFor({ timeout: 60_000 });
    await page.getByText("Start its process, or look at the network").waitFor();
    expect(await graveViolations(page)).toEqual([]);
    await store?.launch();
    await page
      .getByText(/^All is well/)
      .first()
      .waitFor({ timeout: 60_000 });
    await opened.close();
  });
});
