let stepCount = 0;

/** One numbered step of a walk-through: prints how it ended, how long it took, and what it resolves to if that is text. */
export async function step<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  const startedMs = performance.now();
  process.stdout.write(`${String(++stepCount).padStart(2)}. ${what} … `);
  try {
    const result = await work();
    const found = typeof result === "string" && result !== "" ? `: ${result}` : "";
    console.log(`ok (${((performance.now() - startedMs) / 1000).toFixed(1)} s${found})`);
    return result;
  } catch (error) {
    console.log("FAILED");
    throw error;
  }
}
