import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../source-files.ts";

const flake = readFileSync(join(root, "flake.nix"), "utf8");

test("SPEC-U5: the dev shell has the Node that the programs run on, pnpm and buf", () => {
  const [, shell = ""] = /devShells = [\s\S]*?packages = \[([\s\S]*?)\]/.exec(flake) ?? [];
  const manifest = JSON.parse(readFileSync(join(root, "packages", "rdb-server", "package.json"), "utf8"));
  const node = `pkgs.nodejs_${manifest.engines.node.replace(">=", "")}`;
  expect(shell.trim().split(/\s+/)).toEqual([node, "pkgs.pnpm", "pkgs.buf"]);
});

test("the flake names only files that there are, and every program", () => {
  const paths = [...flake.matchAll(/(?<=\s)(?:\.\/)?((?:packages|deploy)\/[\w./-]+)/g)].map(
    (match) => match[1] as string,
  );
  expect(paths).toEqual(["packages/rdb-cli/package.json", "deploy/build.sh"]);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  const loops = [...flake.matchAll(/for program in (.*); do/g)].map((match) => match[1]);
  expect(loops).toEqual(["rdb rdb-pd rdb-server", "rdb rdb-pd rdb-server"]);
});
