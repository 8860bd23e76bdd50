import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RunningGroup } from "../../run-pd.ts";
import { bestEncoding } from "./built-files.ts";
import { addDashboard } from "./dashboard.ts";

let folder: string;
let server: FastifyInstance;
let group: RunningGroup | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rdb-dashboard-"));
  group = undefined;
  server = fastify();
  addDashboard(server, { folder, group: () => group });
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const SCRIPT = "document.title = 'FlareDB';".repeat(50);

function build(): void {
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>built</title>");
  writeFileSync(join(folder, "assets", "main-abc123.js"), SCRIPT);
}

describe("the dashboard's files", () => {
  test("a browser that comes to / is sent there", async () => {
    for (const url of ["/", "/dashboard"]) {
      const answer = await server.inject({ url });
      expect([answer.statusCode, answer.headers.location]).toEqual([302, "/dashboard/"]);
    }
  });

  test("until it is built, a page says how, and once it is, no restart is needed", async () => {
    const before = await server.inject({ url: "/dashboard/" });
    expect(before.statusCode).toBe(503);
    expect(before.body).toContain("npm run build:dashboard");
    build();
    const after = await server.inject({ url: "/dashboard/" });
    expect([after.statusCode, after.body]).toEqual([200, "<!doctype html><title>built</title>"]);
  });

  test("the page is asked for each time, what is named by its content never again", async () => {
    build();
    const page = await server.inject({ url: "/dashboard/" });
    const script = await server.inject({ url: "/dashboard/assets/main-abc123.js" });
    expect(page.headers["cache-control"]).toBe("no-cache");
    expect(script.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect(script.headers["content-type"]).toBe("text/javascript; charset=utf-8");
  });

  test("bodies are packed as the reader can unpack them", async () => {
    build();
    const ask = (encoding: string) =>
      server.inject({ url: "/dashboard/assets/main-abc123.js", headers: { "accept-encoding": encoding } });
    const [br, gz, plain] = await Promise.all([ask("gzip, br"), ask("gzip"), ask("")]);
    expect(brotliDecompressSync(br.rawPayload).toString()).toBe(SCRIPT);
    expect(gunzipSync(gz.rawPayload).toString()).toBe(SCRIPT);
    expect([plain.headers["content-encoding"], plain.body]).toEqual([undefined, SCRIPT]);
    expect(br.rawPayload.length).toBeLessThan(SCRIPT.length / 4);
  });

  test("nothing from elsewhere may load or run in it, and nobody may frame it", async () => {
    build();
    const policy = (await server.inject({ url: "/dashboard/" })).headers["content-security-policy"];
    expect(policy).toContain("default-src 'none'; script-src 'self'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
  });

  test("only built files are given away", async () => {
    build();
    writeFileSync(join(folder, "..", "rdb-outside.txt"), "secret");
    try {
      for (const url of [
        "/dashboard/../rdb-outside.txt",
        "/dashboard/..%2frdb-outside.txt",
        "/dashboard/nothing",
      ]) {
        const { statusCode, body } = await server.inject({ url });
        expect([url, statusCode, body.includes("secret")]).toEqual([url, 404, false]);
      }
    } finally {
      rmSync(join(folder, "..", "rdb-outside.txt"));
    }
  });

  test("a member that follows sends browsers to the one that leads", async () => {
    build();
    const leader = { id: 3, name: "pd-3", address: "127.0.0.1:7404", httpAddress: "127.0.0.1:7405" };
    group = {
      ...{ memberId: 2, leaderMemberId: 3, appliedIndex: 9, clusterId: 7, isServing: false },
      members: () => [{ ...leader, isLearner: false, isUp: true }],
    };
    const answer = await server.inject({ url: "/dashboard/" });
    expect([answer.statusCode, answer.headers.location]).toEqual([307, "http://127.0.0.1:7405/dashboard/"]);
  });
});

test("an encoding that the reader rules out is not used", () => {
  expect(bestEncoding("br;q=0, gzip")).toBe("gzip");
  expect(bestEncoding("deflate")).toBe("identity");
  expect(bestEncoding(undefined)).toBe("identity");
});
