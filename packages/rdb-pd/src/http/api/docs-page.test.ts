import { errorCodes } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { DOCS_HEADERS, docsPage } from "./docs-page.ts";
import { endpoints } from "./endpoints.ts";
import { openApiDocument } from "./openapi.ts";

const page = docsPage(endpoints);

test("the page says every endpoint and every code, and every link on it leads somewhere", () => {
  const ids = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
  expect(endpoints.filter(({ id }) => !ids.has(id))).toEqual([]);
  expect(Object.keys(errorCodes).filter((code) => !ids.has(code))).toEqual([]);
  const anchors = [...page.matchAll(/href="#([^"]+)"/g)].map(([, anchor]) => anchor);
  expect(anchors.length).toBeGreaterThan(endpoints.length);
  expect(anchors.filter((anchor) => !ids.has(anchor))).toEqual([]);
});

test("the page fetches nothing and runs nothing", () => {
  expect(page).not.toMatch(/<script|<img|<link|@import|url\(|https?:/);
  expect(DOCS_HEADERS["content-security-policy"]).toContain("default-src 'none'");
});

test("the OpenAPI document names each operation once, and all that it points at is there", () => {
  const document = openApiDocument(endpoints) as { components: { schemas: Record<string, unknown> } };
  const names = endpoints.map(({ id }) => id);
  expect(new Set(names).size).toBe(names.length);
  const pointers = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to]) => to);
  const known = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
  expect(pointers.filter((to) => !known.includes(to ?? ""))).toEqual([]);
});
