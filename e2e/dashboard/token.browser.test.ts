import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PD_PROGRAM } from "../cluster.ts";
import { freePorts } from "../free-ports.ts";
import { ManagedProcess } from "../managed-process.ts";
import { waitFor } from "../wait.ts";
import { graveViolations } from "./axe.ts";
import { TestBrowser } from "./browser.ts";

const TOKEN = "a-token-of-some-length";

let folder: string;
let pd: ManagedProcess;
let url: string;
let browser: TestBrowser;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "flaredb-dashboard-"));
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, `${TOKEN}\n`);
  const [port, httpPort] = await freePorts(2);
  url = `http://127.0.0.1:${httpPort}`;
  pd = new ManagedProcess({
    name: "pd",
    program: PD_PROGRAM,
    args: [
      ...["--data-dir", join(folder, "pd"), "--port", String(port), "--http-port", String(httpPort)],
      ...["--admin-token-file", tokenFile],
    ],
    logFile: join(folder, "pd.log"),
  });
  await pd.launch();
  await waitFor("PD", 20_000, async () => (await fetch(`${url}/health`)).ok);
  browser = await TestBrowser.start();
});
afterAll(async () => {
  await browser?.close();
  await pd?.kill();
  rmSync(folder, { recursive: true, force: true });
});

test("a PD that wants a token is given one, for as long as the tab is open", async () => {
  const opened = await browser.open(`${url}/`);
  const { page } = opened;
  await page.getByRole("heading", { name: "This placement driver wants a token" }).waitFor();
  expect(page.url()).toContain("/dashboard/");
  expect(await graveViolations(page)).toEqual([]);
  await page.keyboard.type("another-token-of-some-length");
  await page.keyboard.press("Enter");
  await page.getByText("is not the right one").waitFor();
  await page.getByLabel("Token").fill(TOKEN);
  await page.keyboard.press("Enter");
  // No Store has registered with it.
  await page.getByText("Waiting for 3 more Stores to register: there are no Regions yet.").first().waitFor();
  expect(await page.evaluate("JSON.stringify(localStorage)")).not.toContain(TOKEN);
  await page.reload();
  await page
    .getByText(/Waiting for 3 more Stores/)
    .first()
    .waitFor();
  await opened.close();
  const other = await browser.open(`${url}/`);
  await other.page.getByRole("heading", { name: "This placement driver wants a token" }).waitFor();
  await other.close();
});
