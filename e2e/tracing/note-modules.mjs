// For `node --import`: writes down in the file that LOADED_MODULES_FILE names what of OpenTelemetry a process loads.
import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";

registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier.startsWith("@opentelemetry/")) {
      appendFileSync(process.env.LOADED_MODULES_FILE, `${specifier}\n`);
    }
    return next(specifier, context);
  },
});
