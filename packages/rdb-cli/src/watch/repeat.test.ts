import { RdbError } from "@flaredb/rdb-base";
import { afterEach, describe, expect, test } from "vitest";
import { startFakePd } from "../testing/fake-pd.ts";
import { runCaptured } from "../testing/run-captured.ts";

let stop = async (): Promise<void> => {};
afterEach(() => stop());

/** A placement driver that is asked for Stores: `answer` is told how many times before. */
async function pdThat(answer: (asked: number) => void): Promise<string[]> {
  let asked = 0;
  const fake = await startFakePd({
    listStores: () => {
      asked++;
      answer(asked - 1);
      return { statuses: [{ store: { id: BigInt(asked), address: `127.0.0.1:${asked}` } }] };
    },
  });
  stop = fake.stop;
  return ["--pd", fake.address];
}

describe("SPEC-U1: --watch", () => {
  test("prints a document a look, until Ctrl-C, which is no failure", async () => {
    const interrupt = new AbortController();
    const flags = await pdThat((asked) => asked === 3 && interrupt.abort());
    const args = ["store", "list", "--watch", "10ms", "--json", ...flags];
    const { stdout, exitCode } = await runCaptured(args, { interrupt: interrupt.signal });
    const ids = stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { id: number }[])[0]?.id);
    expect(ids).toEqual([1, 2, 3, 4]);
    expect(exitCode).toBe(0);
  });

  test("shows a look that failed, and goes on", async () => {
    const interrupt = new AbortController();
    const flags = await pdThat((asked) => {
      if (asked === 1) {
        throw new RdbError("RDB_INVALID_ARGUMENT", "not this time");
      }
      if (asked === 2) {
        interrupt.abort();
      }
    });
    const args = ["store", "list", "--watch", "10ms", ...flags];
    const { stdout, stderr } = await runCaptured(args, { interrupt: interrupt.signal });
    expect(stderr).toContain("not this time");
    expect(stdout).toContain("127.0.0.1:3");
  });

  test("ends at once when the first look fails", async () => {
    const flags = await pdThat(() => {
      throw new RdbError("RDB_INVALID_ARGUMENT", "never");
    });
    const { stdout, stderr, exitCode } = await runCaptured(["store", "list", "--watch", ...flags]);
    expect([stdout, exitCode]).toEqual(["", 1]);
    expect(stderr).toContain("never");
  });

  test("on a terminal replaces what it showed, ends with q, and gives the terminal back", async () => {
    let press: (key: string) => void = () => {};
    const flags = await pdThat((asked) => asked === 2 && press("q"));
    const { stdout } = await runCaptured(["store", "list", "--watch", "10ms", ...flags], {
      columns: 200,
      rows: 2,
      onKey: (listener) => {
        press = listener;
        return () => (press = () => {});
      },
    });
    const [opened, ...frames] = stdout.split("\u001b[H");
    expect(opened).toBe("\u001b[?1049h\u001b[?25l\u001b[?7l");
    expect(frames).toHaveLength(3);
    // Two lines of terminal: the titles and one Store, each cleared to its end.
    expect(frames[0]?.split("\u001b[K")).toHaveLength(3);
    expect(frames[2]).toContain("\u001b[?7h\u001b[?25h\u001b[?1049l");
    expect(frames[2]?.trimEnd().endsWith("never")).toBe(true);
  });

  test("wants a time", async () => {
    const { stderr, exitCode } = await runCaptured(["store", "list", "--watch", "soon"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("watch soon must be a time such as 500ms, 5s or 1m");
  });
});
