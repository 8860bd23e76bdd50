import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { TestPd } from "../testing/test-pd.ts";
import { readAdminToken } from "./admin-token.ts";

const folder = mkdtempSync(join(tmpdir(), "rdb-token-"));
const path = join(folder, "token");
const token = "0123456789abcdef";

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(text: string): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  writeFileSync(path, text);
  return path;
}

test.each([token, `${token}\n`, `${token}\r\nwhat it is for\n`])("%j is a token", (text) => {
  expect(readAdminToken(write(text))).toBe(token);
});

test.each(["", "\n", "too-short", `${token} `, `${token}\u00e9`, `\n${token}`])("%j is no token", (text) => {
  expect(() => readAdminToken(write(text))).toThrow(/adminTokenFile .* must begin with a line/);
});

test("a file that is not there ends the start, and is named", async () => {
  await expect(TestPd.start({ adminTokenFile: path })).rejects.toMatchObject({
    code: "RDB_CONFIG_INVALID",
    message: expect.stringContaining(`adminTokenFile ${path} cannot be read`),
  });
});

test("PD asks for the token, save for its health and its documents", async () => {
  const pd = await TestPd.start({ adminTokenFile: write(`${token}\n`) });
  try {
    const status = async (way: string, authorization?: string): Promise<number> => {
      const headers = authorization === undefined ? {} : { authorization };
      return (await fetch(`http://${pd.httpAddress}${way}`, { headers })).status;
    };
    expect(await status("/api/v1/stores")).toBe(401);
    expect(await status("/api/v1/stores", `Bearer ${token}`)).toBe(200);
    for (const way of ["/health", "/api/v1/health/live", "/api/v1/openapi.json", "/api/v1/docs"]) {
      expect([way, await status(way)]).toEqual([way, 200]);
    }
  } finally {
    await pd.close();
  }
});
