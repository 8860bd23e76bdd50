import { expect, test } from "vitest";
import { renderFields, renderTable } from "./table.ts";

const columns = [
  { title: "ID", align: "right" },
  { title: "KEY", canShrink: true },
  { title: "STATE" },
] as const;

test("a table has its titles, no lines, and nothing behind the last column", () => {
  const text = renderTable(
    columns,
    [
      ["1", "a", "up"],
      ["20", "long key", "down"],
    ],
    undefined,
  );
  expect(text).toBe("ID  KEY       STATE\n 1  a         up\n20  long key  down\n");
});

test("a table fits the terminal: only what may be cut is", () => {
  const text = renderTable(columns, [["1", "k".repeat(100), "disconnected"]], 40);
  const lines = text.trimEnd().split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBe(40);
  expect(lines[1]).toMatch(/^ 1 {2}k+… {2}disconnected$/);
});

test("a terminal too narrow for a table still gets all of what cannot be cut", () => {
  expect(renderTable(columns, [["1", "k".repeat(100), "disconnected"]], 5)).toContain("disconnected");
});

test("a table without rows has its titles", () => {
  expect(renderTable(columns, [], 80)).toBe("ID  KEY  STATE\n");
});

test("fields stand below each other", () => {
  expect(
    renderFields([
      ["id", "1"],
      ["address", "a:1"],
    ]),
  ).toBe("id:       1\naddress:  a:1\n");
});
