import { describe, expect, test } from "vitest";
import { normalise, outputsMatch } from "./compare.ts";
import { diffLines } from "./diff.ts";
import { Output } from "./output.ts";

describe("outputsMatch", () => {
  const withLog = "> 1 handling Ready\n  INFO 1 became leader at term 1\n  Ready\n";
  const withoutLog = "> 1 handling Ready\n  Ready\n";

  test("tells log lines apart only byte-exactly", () => {
    expect(outputsMatch(withLog, withoutLog, "normalised")).toBe(true);
    expect(outputsMatch(withLog, withoutLog, "byte-exact")).toBe(false);
  });

  test("log lines alone are as good as ok", () => {
    expect(normalise("DEBUG x\nWARN y\n")).toBe("ok\n");
    expect(outputsMatch("ERROR ignoring\n", "ok", "normalised")).toBe(true);
  });

  test("drops nothing but log lines", () => {
    expect(outputsMatch("INFORMED\n", "ok", "normalised")).toBe(false);
    expect(outputsMatch("a\n  b\n", "a\nb\n", "normalised")).toBe(false);
  });
});

describe("diffLines", () => {
  test("marks what is missing and what came instead", () => {
    expect(diffLines("a\nb\nc\n", "a\nx\nc\nd\n").split("\n")).toEqual(["  a", "- b", "+ x", "  c", "+ d"]);
  });
});

describe("Output", () => {
  test("indents what is printed under a header, log lines too", () => {
    const output = new Output();
    output.writeLine("> 1");
    output.indented(() => {
      output.logger.info("became leader");
      output.write("no end of line");
    });
    expect(output.take()).toBe("> 1\n  INFO became leader\n  no end of line\n");
    expect(output.take()).toBe("");
  });

  test("prints log lines from its level on, and nothing at all at none", () => {
    const output = new Output();
    output.level = "warn";
    output.logger.info("quiet");
    output.logger.warn("loud");
    output.level = "none";
    output.writeLine("muted");
    output.logger.error("muted");
    expect(output.take()).toBe("WARN loud\n");
  });
});
