import type { Command } from "commander";
import { type ExitCode, exitCodes } from "../../failure.ts";
import { checkValueLength, invalid, parseBytes, parseKey, readValue } from "../../input/bytes.ts";
import { parseInteger } from "../../input/numbers.ts";
import { write } from "../../io.ts";
import { bytesField } from "../../output/json.ts";
import { printable } from "../../output/text.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { withClient } from "../../with-client.ts";

interface Options {
  readonly hex?: true;
  readonly valueFile?: string;
  readonly expectVersion?: string;
  readonly expectValue?: string;
  readonly expectAbsent?: true;
}

/** `rdb cas KEY VALUE --expect-…` */
export function defineCas(parent: Command, shell: Shell): void {
  const command = parent
    .command("cas <key> [value]")
    .description(
      "compare and swap: write a value only if the key is as expected; exits with 1 when it is not",
    )
    .option("--expect-version <version>", "the key has this version, as put, get --json and cas tell it")
    .option("--expect-value <value>", "the key has this value")
    .option("--expect-absent", "there is no such key")
    .option("--hex", "read key and values as hexadecimal digits")
    .option("--value-file <file>", "read the new value from a file, byte by byte; - is stdin");
  defineAction(command, shell, compareAndSwap);
}

async function compareAndSwap(
  call: Call<Options>,
  keyText: string,
  valueText: string | undefined,
): Promise<ExitCode> {
  const { valueFile, hex = false } = call.options;
  const key = parseKey(keyText, hex);
  const expect = parseExpectation(call.options);
  const value = await readValue({ text: valueText, file: valueFile, hex }, call.io.stdin);
  const { succeeded, version } = await withClient(call.globals, (client, options) =>
    client.compareAndSwap(key, expect, value, options),
  );
  const document = { ...bytesField("key", key, hex), succeeded, version: version ?? null };
  if (succeeded) {
    await call.print(document, () => `version ${version}\n`);
    return exitCodes.done;
  }
  if (call.globals.json) {
    await call.print(document, () => "");
  } else {
    const found = version === undefined ? "there is no such key" : `the key has version ${version}`;
    await write(call.io.stderr, `error: not swapped: key "${printable(key)}" is not as expected: ${found}\n`);
  }
  return exitCodes.failed;
}

type Expectation = { readonly version: number } | { readonly value: Uint8Array } | { readonly absent: true };

function parseExpectation(options: Options): Expectation {
  const { expectVersion, expectValue, expectAbsent, hex = false } = options;
  const given = [expectVersion, expectValue, expectAbsent].filter((option) => option !== undefined);
  if (given.length !== 1) {
    throw invalid(
      "expect",
      "exactly one expectation must be given: --expect-version N, --expect-value VALUE or --expect-absent",
    );
  }
  if (expectVersion !== undefined) {
    return { version: parseInteger("expect-version", expectVersion, 1, Number.MAX_SAFE_INTEGER) };
  }
  if (expectValue !== undefined) {
    return { value: checkValueLength(parseBytes("expect-value", expectValue, hex)) };
  }
  return { absent: true };
}
