import { defineConfig } from "vite";

/** `vite build`: from `src/web` to `dist/web`, with names that change with the content, for caches that need not ask. */
export default defineConfig({
  root: "src/web",
  base: "/dashboard/",
  build: {
    outDir: "../../dist/web",
    emptyOutDir: true,
    target: "es2022",
    // The policy of PD's answers lets nothing inline run or load.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
});
