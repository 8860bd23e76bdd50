import { defineConfig } from "vitest/config";

/** `unit`: beside the sources, in parallel. `e2e`: real processes and real faults, one file after the other. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "scripts/**/*.test.ts", "examples/*/src/**/*.test.ts"],
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["e2e/**/*.e2e.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          // After all unit tests: faults are timed, and the unit tests would take the cores from them.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
