import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { root } from "../source-files.ts";
import { deployPath, deployText } from "./deploy-files.ts";
import { STARTS_TIMEOUT_MS, settingsOf } from "./program-settings.ts";

vi.setConfig({ testTimeout: STARTS_TIMEOUT_MS });

const dockerfile = deployText("Dockerfile");

function instructions(name: string): string[] {
  return [...dockerfile.matchAll(new RegExp(`^${name} (.*)$`, "gm"))].map((match) => match[1] as string);
}

test("the image names the ports that the programs listen on, and its health check asks the right ones", async () => {
  const pd = await settingsOf(["rdb-pd", "--data-dir", "."]);
  const store = await settingsOf(["rdb-server", "--data-dir", "."]);
  const ports = [pd, store].flatMap((settings) => [settings["port"], settings["httpPort"]]);
  expect(instructions("EXPOSE")).toEqual([ports.join(" ")]);
  const health = deployText("health.sh");
  expect(health).toContain(`FLAREDB_PD ${String(pd["httpPort"])}) ;;`);
  expect(health).toContain(`FLAREDB_SERVER ${String(store["httpPort"])}) ;;`);
});

test("the image runs as a user that is a number and not root, under an init", () => {
  expect(instructions("USER")).toEqual(["10001:10001"]);
  expect(instructions("ENTRYPOINT")).toEqual(['["tini", "--"]']);
});

test("the image is built by the pnpm that wrote the lock file, from a base image that can be chosen", () => {
  const installer = readFileSync(join(root, "scripts", "workspace.mjs"), "utf8");
  const [, pnpm] = /PNPM = "(pnpm@[\d.]+)"/.exec(installer) ?? [];
  expect(pnpm).toBeDefined();
  expect(dockerfile).toContain(` ${pnpm}\n`);
  expect(instructions("FROM").map((from) => from.split(" ")[0])).toEqual(["${BASE_IMAGE}", "${BASE_IMAGE}"]);
});

test("the image is built by every builder of Docker 20.10", () => {
  expect(dockerfile).not.toMatch(/^# *syntax=|--mount=|<</m);
});

test("what .dockerignore lets through is there", () => {
  const kept = deployText("../.dockerignore").match(/(?<=^!).*$/gm) ?? [];
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  expect(existsSync(deployPath("build.sh"))).toBe(true);
});
