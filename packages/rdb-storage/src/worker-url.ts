/**
 * Where a worker's code lies, beside the module that asks: `.ts` when the sources run, `.js` once compiled.
 *
 * @param moduleUrl the asking module's `import.meta.url`
 * @param name the worker's file without its extension
 */
export function workerUrl(moduleUrl: string, name: string): URL {
  const extension = moduleUrl.endsWith(".ts") ? "ts" : "js";
  return new URL(`./${name}.${extension}`, moduleUrl);
}
