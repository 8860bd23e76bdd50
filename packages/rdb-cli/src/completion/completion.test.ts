import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startFakePd } from "../testing/fake-pd.ts";
import { runCaptured } from "../testing/run-captured.ts";

// Each completion is loaded into its shell, and asked there. `rdb` is a function that answers what the cluster would.

const IDS = 'echo "$*" | grep -q "completion-ids region --pd 10.0.0.1:7400$" && echo 31 32';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rdb-completion-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function scriptOf(shell: string): Promise<string> {
  const { stdout } = await runCaptured(["completion", shell]);
  const path = join(folder, `rdb.${shell}`);
  writeFileSync(path, stdout);
  return path;
}

/** How each shell is asked what may stand at the end of a line. */
const shells = {
  bash: {
    args: (script: string, line: string) => [
      ...["--norc", "-c"],
      `rdb() { ${IDS}; }; source '${script}'; COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; _rdb; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ],
  },
  zsh: {
    args: (script: string, line: string) => [
      ...["-f", "-c"],
      // The functions that show what there is print it instead.
      `compdef() { :; }; rdb() { ${IDS} | tr ' ' '\\n'; }; source '${script}'
       _describe() { local each; for each in "\${(@P)2}"; do echo "\${each%%:*}"; done; }
       compadd() { shift; printf '%s\\n' "$@"; }
       _files() { echo FILES; }
       words=("\${(@s: :)$(printf '%s' '${line}')}"); CURRENT=\${#words}; _rdb`,
    ],
  },
  fish: {
    args: (script: string, line: string) => [
      ...["--no-config", "-c"],
      `function rdb; string match -q '*completion-ids region --pd 10.0.0.1:7400' -- "$argv"; and printf '%s\\n' 31 32; end
       source '${script}'; complete -C '${line}' | string replace -r '\\t.*' ''; true`,
    ],
  },
} as const;

const isInstalled = (shell: string): boolean => spawnSync(shell, ["-c", "exit"]).status === 0;
const installed = (Object.keys(shells) as (keyof typeof shells)[]).filter(isInstalled);

/** What the shell offers, of the words that begin as the line's last one does. */
function offered(shell: keyof typeof shells, script: string, line: string): string[] {
  const printed = execFileSync(shell, shells[shell].args(script, line), { encoding: "utf8", cwd: folder });
  const begun = line.split(" ").at(-1) ?? "";
  return printed.split(/\s+/).filter((word) => word !== "" && word.startsWith(begun));
}

test("bash is here to be asked", () => {
  expect(installed).toContain("bash");
});

describe.each(installed)("SPEC-U1: completion for %s", (shell) => {
  let script: string;
  beforeAll(async () => {
    script = await scriptOf(shell);
  });

  test("offers commands, those of a group, and none behind an argument", () => {
    expect(offered(shell, script, "rdb s")).toEqual(expect.arrayContaining(["scan", "store", "server"]));
    expect(offered(shell, script, "rdb s")).not.toContain("put");
    expect(offered(shell, script, "rdb region s")).toEqual(
      expect.arrayContaining(["show", "split", "scatter"]),
    );
    expect(offered(shell, script, "rdb put sc")).not.toContain("scan");
  });

  test("offers a command's options, and those of every command", () => {
    const options = offered(shell, script, "rdb region list --");
    expect(options).toEqual(expect.arrayContaining(["--store", "--state", "--watch", "--pd", "--json"]));
    expect(options).not.toContain("--clients");
  });

  test("asks the cluster that the line names for ids", () => {
    expect(offered(shell, script, "rdb --pd 10.0.0.1:7400 region show 3")).toEqual(["31", "32"]);
    expect(offered(shell, script, "rdb --pd 10.0.0.1:7400 region scatter 31 3")).toEqual(["31", "32"]);
    expect(offered(shell, script, "rdb --pd 10.0.0.1:7400 region merge 31 --into 3")).toEqual(["31", "32"]);
    expect(offered(shell, script, "rdb --pd 10.0.0.2:7400 region show 3")).toEqual([]);
  });
});

describe("completion", () => {
  test("names the shells that there are", async () => {
    const { exitCode, stderr } = await runCaptured(["completion", "tcsh"]);
    expect([exitCode, stderr]).toEqual([2, 'error: shell "tcsh" must be bash, zsh or fish\n']);
  });

  test("prints ids of each kind, and nothing of it in the help", async () => {
    const pd = await startFakePd(
      {
        listStores: () => ({ statuses: [{ store: { id: 1n } }, { store: { id: 4n } }] }),
        listRegions: () => ({ routes: [{ region: { id: 7n } }] }),
        getClusterInfo: () => ({ members: [{ id: 3n }] }),
      },
      {
        listOperators: () => ({ operators: [{ id: 17n }] }),
        listSchedulers: () => ({ schedulers: [{ name: "balance-leader" }] }),
      },
    );
    const printed = [];
    for (const kind of ["store", "region", "operator", "scheduler", "member"]) {
      const { stdout } = await runCaptured(["completion-ids", kind, "--pd", pd.address]);
      printed.push(stdout);
    }
    await pd.stop();
    expect(printed).toEqual(["1\n4\n", "7\n", "17\n", "balance-leader\n", "3\n"]);
    expect((await runCaptured(["--help"])).stdout).not.toContain("completion-ids");
  });
});
