import { defineConfig } from "vitest/config";

/** `npm run test:dashboard`: real processes, and a real browser that looks at them. One file after the other. */
export default defineConfig({
  test: {
    name: "dashboard",
    include: ["e2e/dashboard/**/*.browser.test.ts"],
    testTimeout: 180_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
