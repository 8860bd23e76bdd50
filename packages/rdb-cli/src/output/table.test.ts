import { expect, test } from "vitest";
import { painter } from "./paint.ts";
import { renderFields, renderTable } from "./table.ts";

const columns = [
  { title: "ID", align: "right" },
  { title: "KEY", shrinks: "middle" },
  { title: "STATE" },
] as const;

test("a table has its titles, no lines, and nothing behind the last column", () => {
  const text = renderTable(
    columns,
    [
      ["1", "a", "up"],
      ["20", "long key", "down"],
    ],
    { width: undefined },
  );
  expect(text).toBe("ID  KEY       STATE\n 1  a         up\n20  long key  down\n");
});

test("a table fits the terminal: only what may be cut is", () => {
  const text = renderTable(columns, [["1", "k".repeat(100), "disconnected"]], { width: 40 });
  const lines = text.trimEnd().split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBe(40);
  expect(lines[1]).toMatch(/^ 1 {2}k+…k+ {2}disconnected$/);
});

test("no line is wider than the terminal, however narrow that is", () => {
  for (let width = 1; width < 40; width++) {
    const lines = renderTable(columns, [["1", "k".repeat(100), "disconnected"]], { width }).split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
  }
  expect(renderTable(columns, [["1", "k".repeat(100), "disconnected"]], { width: 16 })).toContain(
    "\n 1  kkkk…kkk  d…",
  );
});

test("a key keeps both its ends, and wide characters count as two columns", () => {
  const keys = [{ title: "K", shrinks: "middle" }] as const;
  expect(renderTable(keys, [["user/000000000017/name"]], { width: 11 })).toBe("K\nuser/…/name\n");
  expect(renderTable(keys, [["東京都千代田区"]], { width: 9 })).toBe("K\n東京…田区\n");
});

test("colours take no room", () => {
  const painted = [{ title: "ID" }, { title: "STATE", style: (): "good" => "good" }, { title: "X" }] as const;
  const text = renderTable(painted, [["1", "up", "y"]], { width: 20, paint: painter(true) });
  expect(text.split("\n")[1]).toBe("1   \u001b[32mup\u001b[39m     y");
});

test("a table without rows has its titles", () => {
  expect(renderTable(columns, [], { width: 80 })).toBe("ID  KEY  STATE\n");
});

test("fields stand below each other", () => {
  expect(
    renderFields([
      ["id", "1"],
      ["address", "a:1"],
    ]),
  ).toBe("id:       1\naddress:  a:1\n");
});
