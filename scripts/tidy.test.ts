import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { renderAdminApiDocs } from "./admin-api-docs.ts";
import { renderCliDocs } from "./cli-docs.ts";
import { renderConfigDocs } from "./config-docs.ts";
import { renderDashboardTypes } from "./dashboard-types.ts";
import { renderErrorDocs } from "./error-docs.ts";
import { renderMetricDocs } from "./metric-docs.ts";
import { importsOf, packageNames, root, sourceFiles } from "./source-files.ts";

// Rules of the house that no compiler or linter holds.

/** Which packages each may import. Nothing imports upward. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  "rdb-base": [],
  "rdb-metrics": ["rdb-base"],
  "rdb-process": ["rdb-base"],
  "rdb-proto": ["rdb-base"],
  "rdb-raft": ["rdb-base"],
  "rdb-storage": ["rdb-base", "rdb-raft"],
  "rdb-wire": ["rdb-base", "rdb-proto"],
  "rdb-server": [
    "rdb-base",
    "rdb-metrics",
    "rdb-process",
    "rdb-proto",
    "rdb-raft",
    "rdb-storage",
    "rdb-wire",
  ],
  "rdb-pd": [
    "rdb-base",
    "rdb-dashboard",
    "rdb-metrics",
    "rdb-process",
    "rdb-proto",
    "rdb-raft",
    "rdb-storage",
    "rdb-wire",
  ],
  // rdb-testing: its `testing` alone, see below.
  "rdb-client": ["rdb-base", "rdb-proto", "rdb-wire", "rdb-testing"],
  "rdb-testing": ["rdb-base", "rdb-wire", "rdb-storage", "rdb-server", "rdb-pd"],
  // Where its built files lie is all that others import; what it shows it asks PD for over HTTP.
  "rdb-dashboard": [],
  "rdb-cli": ["rdb-base", "rdb-proto", "rdb-wire", "rdb-client", "rdb-server", "rdb-pd"],
  "rdb-sim": [
    "rdb-base",
    "rdb-proto",
    "rdb-raft",
    "rdb-storage",
    "rdb-wire",
    "rdb-server",
    "rdb-pd",
    "rdb-client",
  ],
  e2e: ["rdb-base", "rdb-metrics", "rdb-proto", "rdb-wire", "rdb-client", "rdb-sim"],
};

/** Where a reader begins to lose the thread, and where a file has to be cut. */
const LINES_TO_WARN = 300;
const LINES_TO_FAIL = 600;

/** The longest README that still counts as one: what the package is for, what it may import, where to start. */
const README_MIN_LINES = 3;

/** Words that the glossary has another one for, and that mean nothing else anywhere here. */
const bannedWords = /[sS]hard(?!ed\b)|\b\w*([mM]aster|[sS]lave)|safe_?[rR]ead/;

/** Marks of unfinished work, and paths of somebody's machine. */
const bannedMarks =
  /\bTODO\b|\bFIXME\b|\bXXX\b|@ts-ignore|@ts-nocheck|\b(?:describe|test|it)\.(?:skip|only|todo)\b|\/work\/|\/tmp\/|\/home\//;

const files = sourceFiles();
// This file names what it looks for.
const proseFiles = files.filter((file) => file.path !== "scripts/tidy.test.ts");

function linesMatching(pattern: RegExp): string[] {
  return proseFiles.flatMap((file) =>
    file.lines.flatMap((line, at) => (pattern.test(line) ? [`${file.path}:${at + 1}: ${line.trim()}`] : [])),
  );
}

/** Documents leave `src/` out where the rest is clear: `peer/peer.ts`. */
function withSources(name: string): string {
  return name.replace(/^(rdb-\w+)\/(?!src\/)/, "$1/src/");
}

describe("package graph", () => {
  test("every package has its arrows", () => {
    expect([...packageNames(), "e2e"].sort()).toEqual(Object.keys(arrows).sort());
  });

  test("nothing imports upward", () => {
    const upward = files
      .filter((file) => file.packageName in arrows)
      .flatMap((file) =>
        importsOf(file)
          .filter((specifier) => specifier.startsWith("@flaredb/"))
          .map((specifier) => specifier.slice("@flaredb/".length).split("/")[0] as string)
          .filter((name) => name !== file.packageName && !arrows[file.packageName]?.includes(name))
          .map((name) => `${file.path} imports ${name}`),
      );
    expect(upward).toEqual([]);
  });

  test("package.json declares no package that the arrows forbid", () => {
    const forbidden = Object.entries(arrows).flatMap(([name, allowed]) => {
      const folder = name === "e2e" ? name : join("packages", name);
      const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
      return Object.keys(manifest.dependencies ?? {})
        .filter((dependency) => dependency.startsWith("@flaredb/"))
        .map((dependency) => dependency.slice("@flaredb/".length))
        .filter((dependency) => !allowed.includes(dependency))
        .map((dependency) => `${folder}/package.json depends on ${dependency}`);
    });
    expect(forbidden).toEqual([]);
  });

  test("only the SDK's cluster for tests knows of Stores, and their database", () => {
    const importers = files
      .filter((file) => file.packageName === "rdb-client" && importsOf(file).includes("@flaredb/rdb-testing"))
      .map((file) => file.path);
    expect(importers).toEqual(["packages/rdb-client/src/testing/test-cluster.ts"]);
  });

  test("examples use what users have, and nothing else", () => {
    const specifiers = files
      .filter((file) => file.packageName === "examples")
      .flatMap((file) => importsOf(file).filter((specifier) => specifier.startsWith("@flaredb/")));
    expect([...new Set(specifiers)].sort()).toEqual(["@flaredb/rdb-client", "@flaredb/rdb-client/testing"]);
  });

  test("RocksDB is imported by one file of rdb-storage", () => {
    const importers = files
      .filter((file) => file.path.startsWith("packages/") && !file.isTest && /"rocksdb[/"]/.test(file.text))
      .map((file) => file.packageName);
    expect(importers.filter((name) => name !== "rdb-storage")).toEqual([]);
    expect(importers.length).toBeLessThanOrEqual(1);
  });

  test("relative imports stay inside their package", () => {
    const escaping = files
      .filter((file) => file.path.startsWith("packages/"))
      .flatMap((file) =>
        importsOf(file)
          .filter((specifier) => specifier.startsWith("."))
          .filter((specifier) => {
            const target = join(file.path, "..", specifier);
            return !target.startsWith(join("packages", file.packageName));
          })
          .map((specifier) => `${file.path} imports ${specifier}`),
      );
    expect(escaping).toEqual([]);
  });
});

describe("files", () => {
  test("every package has a README", () => {
    const missing = packageNames().filter((name) => {
      const path = join(root, "packages", name, "README.md");
      return !existsSync(path) || readFileSync(path, "utf8").split("\n").length < README_MIN_LINES;
    });
    expect(missing).toEqual([]);
  });

  test("no file is too long to read", () => {
    const long = files.filter((file) => file.lines.length > LINES_TO_WARN);
    for (const file of long) {
      console.warn(`${file.path} has ${file.lines.length} lines: more than ${LINES_TO_WARN}`);
    }
    expect(
      long
        .filter((file) => file.lines.length > LINES_TO_FAIL)
        .map((file) => `${file.path}: ${file.lines.length}`),
    ).toEqual([]);
  });
});

describe("words", () => {
  test("the glossary's banned words stand nowhere", () => {
    expect(linesMatching(bannedWords)).toEqual([]);
  });

  test("nothing is left for later, skipped, or tied to one machine", () => {
    expect(linesMatching(bannedMarks)).toEqual([]);
  });
});

describe("documents", () => {
  test("ARCHITECTURE.md names only files that there are", () => {
    const text = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
    const named = [...text.matchAll(/`([\w./-]+\.ts)`/g)].map((match) => match[1] as string);
    expect(named.length).toBeGreaterThan(0);
    expect(
      named.filter((name) => !files.some((file) => `/${file.path}`.endsWith(`/${withSources(name)}`))),
    ).toEqual([]);
  });

  test("docs/cli.md is what the commands say", () => {
    expect(readFileSync(join(root, "docs", "cli.md"), "utf8")).toBe(renderCliDocs());
  });

  test("docs/configuration.md is what the schemas of the programs say", () => {
    expect(readFileSync(join(root, "docs", "configuration.md"), "utf8")).toBe(renderConfigDocs());
  });

  test("docs/admin-api.md is what the endpoints of PD's admin API say", () => {
    expect(readFileSync(join(root, "docs", "admin-api.md"), "utf8")).toBe(renderAdminApiDocs());
  });

  test("the dashboard's types are what the endpoints of PD's admin API say", () => {
    const path = join(root, "packages", "rdb-dashboard", "src", "web", "api", "gen", "types.ts");
    expect(readFileSync(path, "utf8")).toBe(renderDashboardTypes());
  });

  test("docs/metrics.md is what the tables of metrics say", () => {
    expect(readFileSync(join(root, "docs", "metrics.md"), "utf8")).toBe(renderMetricDocs());
  });

  test("docs/errors.md is what the table of error codes says", () => {
    expect(readFileSync(join(root, "docs", "errors.md"), "utf8")).toBe(renderErrorDocs());
  });
});
