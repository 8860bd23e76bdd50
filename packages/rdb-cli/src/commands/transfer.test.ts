import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WireCluster } from "@flaredb/rdb-client/fakes";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CaptureOptions, runCaptured } from "../testing/run-captured.ts";

let cluster: WireCluster;
let folder: string;

beforeEach(async () => {
  cluster = await WireCluster.start({ splitKeys: ["k0500", "k1200"] });
  folder = mkdtempSync(join(tmpdir(), "rdb-transfer-"));
});
afterEach(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true });
});

function rdb(args: readonly string[], options: CaptureOptions = {}) {
  return runCaptured([...args, "--pd", cluster.pdAddress], options);
}

const keyOf = (at: number): string => `k${String(at).padStart(4, "0")}`;
const lineOf = (at: number): string => `{"key":"${keyOf(at)}","value":"value ${at}"}\n`;
const linesOf = (count: number): string => Array.from({ length: count }, (_, at) => lineOf(at)).join("");
const storedKeys = (): string[] => cluster.fake.rows.all.map(({ key }) => Buffer.from(key).toString());
const file = (name: string): string => join(folder, name);

describe("SPEC-U1: import and export", () => {
  test("what is imported is exported, byte by byte, over several Regions", async () => {
    const text = `{"keyBase64":"AP8=","valueBase64":"/w=="}\n${linesOf(1300)}{"key":"ü","value":""}\n`;
    writeFileSync(file("in"), text);
    const imported = await rdb(["import", file("in")]);
    expect(imported).toMatchObject({ exitCode: 0, stderr: "" });
    expect(imported.stdout).toMatch(/^imported 1302 rows, [\d.]+ KiB in [\d.]+ s\n$/);
    expect(existsSync(`${file("in")}.import-cursor`)).toBe(false);
    const exported = await rdb(["export", file("out")]);
    expect(exported).toMatchObject({ exitCode: 0, stderr: "" });
    expect(exported.stdout).toMatch(
      /^exported 1302 rows, .*; each page is one snapshot, the whole is not\n$/,
    );
    expect(readFileSync(file("out"), "utf8")).toBe(text);
    expect(existsSync(`${file("out")}.export-cursor`)).toBe(false);
  });

  test("stdin and stdout work as files, and a range can be chosen", async () => {
    await rdb(["import", "-"], { stdin: linesOf(5) });
    const some = await rdb(["export", "-", "--from", "k0001", "--to", "k0003"]);
    expect(some.stdout).toBe(lineOf(1) + lineOf(2));
    expect(some.stderr).toContain("exported 2 rows");
    const prefixed = await rdb(["export", "-", "--prefix", "k0004", "--json"]);
    expect(prefixed.stdout).toBe(lineOf(4));
    expect(JSON.parse(prefixed.stderr)).toEqual({ rows: 1, bytes: lineOf(4).length, snapshot: "page" });
  });

  test("of two lines with one key the later one wins, in one batch or in two", async () => {
    // The first batch comes through late: the second must not pass it.
    let isFirst = true;
    cluster.fake.leaderStore("k0000").intercept = () => {
      const answer = isFirst ? ({ case: "serverIsBusy", value: { backoffMs: 50 } } as const) : undefined;
      isFirst = false;
      return answer;
    };
    const again = (at: number): string => `{"key":"${keyOf(at)}","value":"later"}\n`;
    const { stdout } = await rdb(["import", "-", "--json"], {
      stdin: lineOf(0) + again(0) + linesOf(600).slice(lineOf(0).length) + again(1),
    });
    expect(JSON.parse(stdout)).toMatchObject({ rows: 602 });
    for (const at of [0, 1]) {
      expect((await rdb(["get", keyOf(at)])).stdout).toBe("later\n");
    }
  });
});

describe("SPEC-U1: import", () => {
  test("a bad line ends it with its number, and nothing of its batch is written", async () => {
    writeFileSync(file("in"), `${linesOf(700)}{"key":"x"}\n${lineOf(701)}`);
    const { exitCode, stderr } = await rdb(["import", file("in")]);
    expect(stderr).toBe("error: line 701 must have exactly one of value, valueBase64 and valueHex, not 0\n");
    expect(exitCode).toBe(1);
    expect(storedKeys()).toHaveLength(500);
    // Put right, it goes on behind what is written.
    writeFileSync(file("in"), linesOf(702));
    const before = cluster.fake.rows.writeCounts.get("k0000");
    const resumed = await rdb(["import", file("in"), "--resume"]);
    expect(resumed.stdout).toMatch(/^imported 702 rows/);
    expect(storedKeys()).toHaveLength(702);
    expect(cluster.fake.rows.writeCounts.get("k0000")).toBe(before);
  });

  test("after Ctrl-C it says how to go on, and goes on", async () => {
    // Eight rows are a batch, eight batches on their way at once: 64 rows.
    const value = "v".repeat(64 * 1024);
    const lines = Array.from({ length: 120 }, (_, at) => `{"key":"${keyOf(at)}","value":"${value}"}\n`);
    writeFileSync(file("in"), lines.join(""));
    const interrupt = new AbortController();
    for (const store of cluster.fake.stores) {
      store.intercept = () => {
        interrupt.abort();
        return undefined;
      };
    }
    const { exitCode, stderr } = await rdb(["import", file("in")], { interrupt: interrupt.signal });
    expect(exitCode).toBe(130);
    expect(stderr).toMatch(/^interrupted: imported \d+ rows.*`rdb import --resume .*` goes on\n$/);
    const written = storedKeys().length;
    expect(written).toBeGreaterThanOrEqual(8);
    expect(written).toBeLessThan(120);
    const resumed = await rdb(["import", file("in"), "--resume"]);
    expect(resumed.stdout).toMatch(/^imported 120 rows/);
    expect(storedKeys()).toHaveLength(120);
  });

  test("a write that fails ends it, and what is on its way is waited for", async () => {
    writeFileSync(file("in"), linesOf(600));
    for (const store of cluster.fake.stores) {
      store.intercept = () => ({ case: "serverIsBusy", value: { reason: "full", backoffMs: 10 } });
    }
    const { exitCode, stderr } = await rdb(["import", file("in"), "--timeout", "2s"]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("batchPut") });
    expect(storedKeys()).toEqual([]);
  });

  test.each([
    [["import", "-", "--resume"], "--resume needs a file"],
    [["import", "nowhere"], "nowhere cannot be read"],
    [["import", "nowhere", "--resume"], "--resume finds no cursor of an earlier import"],
  ])("%j is refused", async (args, message) => {
    const { exitCode, stderr } = await rdb(args);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });
});

describe("SPEC-U1: export", () => {
  test("one that was cut off goes on behind its last page, whatever stood behind it", async () => {
    await rdb(["import", "-"], { stdin: linesOf(1500) });
    const interrupt = new AbortController();
    for (const store of cluster.fake.stores) {
      store.intercept = (request) => {
        if (
          request.command.case === "scan" &&
          Buffer.from(request.command.value.startKey).toString() === "k0500"
        ) {
          interrupt.abort();
        }
        return undefined;
      };
    }
    const cut = await rdb(["export", file("out"), "--prefix", "k"], { interrupt: interrupt.signal });
    expect(cut).toMatchObject({ exitCode: 130, stderr: expect.stringContaining("`rdb export --resume`") });
    expect(existsSync(`${file("out")}.export-cursor`)).toBe(true);
    writeFileSync(file("out"), "half a row", { flag: "a" });
    const others = await rdb(["export", file("out"), "--resume"]);
    expect(others).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("is of an export of other keys"),
    });
    const resumed = await rdb(["export", file("out"), "--prefix", "k", "--resume"]);
    expect(resumed.stdout).toMatch(/^exported 1500 rows/);
    expect(readFileSync(file("out"), "utf8")).toBe(linesOf(1500));
  });

  test("a file that is there is left alone, and one that lost rows is not gone on with", async () => {
    writeFileSync(file("out"), "mine");
    const taken = await rdb(["export", file("out")]);
    expect(taken).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("delete it, name another") });
    expect(readFileSync(file("out"), "utf8")).toBe("mine");
    const cursor = {
      transfer: "export",
      startKey: "",
      endKey: "",
      lastKey: "aw==",
      rowCount: 1,
      fileBytes: 9,
    };
    writeFileSync(`${file("out")}.export-cursor`, JSON.stringify(cursor));
    truncateSync(file("out"), 3);
    const lost = await rdb(["export", file("out"), "--resume"]);
    expect(lost).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("has 3 bytes, less than the 9"),
    });
    writeFileSync(`${file("out")}.export-cursor`, "{");
    const broken = await rdb(["export", file("out"), "--resume"]);
    expect(broken.stderr).toContain("is no cursor of an export");
  });

  test("to stdout nothing can be resumed", async () => {
    await rdb(["import", "-"], { stdin: linesOf(3) });
    expect((await rdb(["export", "-", "--resume"])).stderr).toContain("--resume needs a file");
  });
});
