// `npm run test:dashboard`: builds the dashboard and looks at it with a real browser, over real processes. Not part of
// `npm test`, which needs no browser. `npm run test:dashboard -- PATTERN` runs only the files whose path contains PATTERN.
import { existsSync } from "node:fs";
import { buildDashboard } from "./build-dashboard.mjs";
import { environment, install, run } from "./workspace.mjs";

// As e2e/dashboard/browser.ts looks for it.
const places = [
  process.env.FLAREDB_CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
].filter(Boolean);

/** Installs chromium where that is this machine's to do. @returns whether it is there */
async function findChromium() {
  if (places.some((path) => existsSync(path))) {
    return true;
  }
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    return false;
  }
  console.log("installing chromium (once, by apt-get) …");
  const quiet = { stdio: ["ignore", "ignore", "inherit"] };
  await run("apt-get", ["update", "-qq"], quiet);
  await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"], quiet);
  return existsSync("/usr/bin/chromium");
}

await install();
if (!(await findChromium())) {
  console.error(
    `error: there is no chromium at ${places.join(", ")}: install it (Debian: apt-get install chromium), or set FLAREDB_CHROMIUM to the program`,
  );
  process.exit(1);
}
const failure = await buildDashboard();
if (failure !== undefined) {
  console.error(`${failure}\nerror: the dashboard was not built: see above`);
  process.exit(1);
}
const args = ["run", "--config", "e2e/dashboard/vitest.config.ts", ...process.argv.slice(2)];
process.exitCode = await run("vitest", args, { env: environment });
