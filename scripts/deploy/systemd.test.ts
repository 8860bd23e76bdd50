import { expect, test, vi } from "vitest";
import { DRAIN_MAX_SECONDS, deployPath, deployText, secondsOf } from "./deploy-files.ts";
import { STARTS_TIMEOUT_MS, settingsOf } from "./program-settings.ts";

vi.setConfig({ testTimeout: STARTS_TIMEOUT_MS });

const units = [
  { program: "rdb-pd", config: "pd.json" },
  { program: "rdb-server", config: "store.json" },
] as const;

/** The value of each directive; of one that is repeated, all with a comma. */
function directives(unit: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of unit.split("\n").filter((each) => !/^(#|\[|$)/.test(each))) {
    const at = line.indexOf("=");
    const [name, value] = [line.slice(0, at), line.slice(at + 1)];
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  return values;
}

test.for(units)("$program starts its program with settings that it takes", async ({ program, config }) => {
  const unit = directives(deployText(`systemd/${program}.service`));
  const [path = "", ...args] = (unit.get("ExecStart") ?? "").split(" ");
  expect(path).toBe(`/opt/flaredb/bin/${program}`);
  const settings = await settingsOf([program, ...args], {
    [`/etc/flaredb/${config}`]: deployPath(`systemd/${config}`),
  });
  // ProtectSystem=strict: it can write nowhere else.
  expect(settings["dataDir"]).toBe(`/var/lib/${unit.get("StateDirectory") ?? ""}`);
});

test.for(units)("$program ends and restarts as the program means it", ({ program }) => {
  const unit = directives(deployText(`systemd/${program}.service`));
  expect(unit.get("Restart")).toBe("on-failure");
  // The exit code for wrong usage.
  expect(unit.get("RestartPreventExitStatus")).toBe("2");
  // A reload during a start must not leave it down.
  expect(unit.get("RestartForceExitStatus")).toBe("SIGHUP");
  expect(unit.get("KillSignal")).toBe("SIGTERM");
  expect(secondsOf(unit.get("TimeoutStopSec") ?? "")).toBeGreaterThan(DRAIN_MAX_SECONDS);
  expect(Number(unit.get("LimitNOFILE"))).toBeGreaterThanOrEqual(65_536);
});
