import type { LogFields, Logger } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { ProcessLogger } from "./process-logger.ts";

function collect(): { readonly sink: Logger; readonly messages: string[] } {
  const messages: string[] = [];
  const make = (base: LogFields): Logger => {
    const note = (fields: LogFields, message: string): void => {
      messages.push(`${message} ${JSON.stringify({ ...base, ...fields })}`);
    };
    const child = (fields: LogFields): Logger => make({ ...base, ...fields });
    return { debug: note, info: note, warn: note, error: note, child };
  };
  return { sink: make({}), messages };
}

test("lines below the level are left out, also of children that were made before it changed", () => {
  const { sink, messages } = collect();
  const logger = ProcessLogger.of("thing", "info", sink);
  const child = logger.child({ region: 2 });
  const logAll = (): void => {
    messages.length = 0;
    for (const each of [logger, child]) {
      each.debug({}, "debug");
      each.info({}, "info");
      each.warn({}, "warn");
      each.error({}, "error");
    }
  };
  logAll();
  expect(messages).toEqual([
    "info {}",
    "warn {}",
    "error {}",
    'info {"region":2}',
    'warn {"region":2}',
    'error {"region":2}',
  ]);
  logger.level = "debug";
  logAll();
  expect(messages).toHaveLength(8);
  logger.level = "error";
  logAll();
  expect(messages).toEqual(["error {}", 'error {"region":2}']);
  logger.level = "silent";
  logAll();
  expect(messages).toEqual([]);
});
