import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "../cluster.ts";
import { graveViolations } from "./axe.ts";
import { DESKTOP, type OpenPage, TestBrowser } from "./browser.ts";

// The data browser where PD's setting lets it change rows.

let cluster: TestCluster;
let browser: TestBrowser;

beforeAll(async () => {
  cluster = await TestCluster.prepare({});
  cluster.pd.surround({ FLAREDB_PD_DATA_ACCESS: "write" });
  await Promise.all([cluster.pd.launch(), ...cluster.stores.map((store) => store.launch())]);
  await cluster.waitUntilServing();
  browser = await TestBrowser.start();
});
afterAll(async () => {
  await browser?.close();
  await cluster?.dispose();
});

function open(view = DESKTOP): Promise<OpenPage> {
  return browser.open(`${cluster.pdHttpUrl}/dashboard/#/data?prefix=row/`, view);
}

async function textOf(key: string): Promise<string | undefined> {
  const client = await cluster.connect();
  const row = await client.get(key);
  return row === undefined ? undefined : Buffer.from(row.value).toString();
}

describe("rows that may be changed", () => {
  test("a new row is put as JSON that is checked, then changed in hex", async () => {
    const opened = await open();
    const { page, errors } = opened;
    await page.getByRole("button", { name: "New row" }).click();
    await page.getByLabel("Key (other bytes as").fill("row/1");
    await page.getByText("JSON", { exact: true }).click();
    await page.getByLabel("Value", { exact: true }).fill('{"city": ');
    await page.getByText(/Not JSON/).waitFor();
    expect(await page.getByRole("button", { name: "Put" }).isDisabled()).toBe(true);
    expect(await graveViolations(page)).toEqual([]);
    await page.getByLabel("Value", { exact: true }).fill('{"city": "Paris"}');
    await page.getByRole("button", { name: "Put" }).click();
    await page.getByRole("link", { name: "row/1" }).click();
    expect(JSON.parse((await textOf("row/1")) ?? "")).toEqual({ city: "Paris" });

    await page.getByRole("button", { name: "Change" }).click();
    await page.getByText("Hex", { exact: true }).click();
    await page.getByLabel("Value", { exact: true }).fill("4f736c6");
    await page.getByText("Not an even number of hexadecimal digits.").waitFor();
    await page.getByLabel("Value", { exact: true }).fill("4f736c6f");
    await page.getByRole("button", { name: "Put" }).click();
    await page.getByLabel("Value", { exact: true }).getByText("Oslo").waitFor();
    expect(await textOf("row/1")).toBe("Oslo");
    expect(errors).toEqual([]);
    await opened.close();
  });

  test("a row that somebody else has changed meanwhile is not overwritten", async () => {
    const client = await cluster.connect();
    await client.put("row/2", "first");
    const opened = await open();
    const { page } = opened;
    await page.getByRole("link", { name: "row/2" }).click();
    await page.getByRole("button", { name: "Change" }).click();
    await client.put("row/2", "second");
    await page.getByLabel("Value", { exact: true }).fill("third");
    await page.getByRole("button", { name: "Put" }).click();
    await page.getByText(/Somebody was faster/).waitFor();
    expect(await textOf("row/2")).toBe("second");
    await opened.close();
  });

  test("a row is deleted once that was confirmed, by keys alone and on a narrow screen, too", async () => {
    const client = await cluster.connect();
    await client.put("row/3", "v");
    const opened = await open({ theme: "dark", width: 375, height: 812 });
    const { page, errors } = opened;
    await page.getByRole("link", { name: "row/3" }).click();
    await page.getByRole("button", { name: "Delete" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Delete this row?" }).waitFor();
    expect(await graveViolations(page)).toEqual([]);
    expect(await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")).toEqual([375, 375]);
    // The way out has the focus.
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Delete this row?" }).waitFor({ state: "detached" });
    expect(await textOf("row/3")).toBe("v");
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Delete it" }).click();
    await page.getByText("The row is no more.").waitFor();
    expect(await textOf("row/3")).toBeUndefined();
    expect(errors).toEqual([]);
    await opened.close();
  });
});
