import { execFileSync, spawn } from "node:child_process";

/** Set within a network of one's own. */
const MARK = "FLAREDB_CHAOS_OWN_NETWORK";
/** Of the exit code that a shell gives to who ended by a signal. */
const ENDED_BY_SIGNAL = 128;

/**
 * Where it may, starts this program again in a network namespace of its own, in which nothing but loopback is: packets
 * can be lost there, no port is ever taken, and nothing of it is left when the run is over.
 *
 * @returns its exit code; undefined where this is it, or where nobody may have one: the run goes on in the network it has
 */
export async function inOwnNetwork(): Promise<number | undefined> {
  if (process.env[MARK] !== undefined || !mayHaveOwnNetwork()) {
    return undefined;
  }
  const program = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn(
    "unshare",
    ["--net", "--", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", ...program],
    {
      // The channel: it learns when this one is gone.
      stdio: ["inherit", "inherit", "inherit", "ipc"],
      env: { ...process.env, [MARK]: "1" },
    },
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => child.kill(signal));
  }
  return new Promise((resolve) => {
    child.once("exit", (code) => resolve(code ?? ENDED_BY_SIGNAL));
  });
}

/** To be called within: it ends with whoever started it. */
export function endWithParent(): void {
  if (process.env[MARK] !== undefined && process.channel !== undefined) {
    process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
    process.channel.unref();
  }
}

/** Whether packets can be lost here: only in a network that is nobody else's. */
export function canLosePackets(): boolean {
  return process.env[MARK] !== undefined;
}

function mayHaveOwnNetwork(): boolean {
  const rule = "ip link set lo up && iptables -A INPUT -p tcp -m statistic --mode random --probability 0.01";
  try {
    execFileSync("unshare", ["--net", "--", "sh", "-c", `${rule} -m multiport --ports 1,2 -j DROP`], {
      stdio: "pipe",
    });
    return true;
  } catch {
    // No privileges, no such programs, or no such modules of the kernel: the run says what it leaves out.
    return false;
  }
}
