import { BadScriptError, UnreadableFileError } from "./script-error.ts";

/** One argument: a bare `key`, or `key=value`, or `key=(value,value)`. */
interface Argument {
  readonly key: string;
  /** Undefined for a bare `key`. */
  readonly values: readonly string[] | undefined;
}

export interface CommandLine {
  readonly command: string;
  readonly args: readonly Argument[];
}

const COMMAND = /^\S+/;
const ARGUMENT = /\s*([^\s=]+)(?:=(?:\(([^)]*)\)|(\S*)))?/y;

/**
 * Reads `cmd arg key=value key=(a,b,c)`.
 *
 * @throws UnreadableFileError when a rest of the line is none of these
 */
export function parseCommandLine(text: string, lineNumber: number): CommandLine {
  const command = COMMAND.exec(text)?.[0] ?? "";
  const args: Argument[] = [];
  ARGUMENT.lastIndex = command.length;
  while (ARGUMENT.lastIndex < text.trimEnd().length) {
    const at = ARGUMENT.lastIndex;
    const match = ARGUMENT.exec(text);
    if (match === null) {
      throw new UnreadableFileError(
        lineNumber,
        `column ${at + 1}: expected key, key=value or key=(value,value) in: ${text}`,
      );
    }
    args.push(toArgument(match));
  }
  return { command, args };
}

function toArgument([, key = "", list, single]: RegExpExecArray): Argument {
  if (list !== undefined) {
    const values = list.trim() === "" ? [] : list.split(",").map((value) => value.trim());
    return { key, values };
  }
  return { key, values: single === undefined ? undefined : [single] };
}

/** The bare argument at `position`, counted from 0. */
export function positional(line: CommandLine, position: number): string {
  const arg = line.args[position];
  if (arg === undefined || arg.values !== undefined) {
    throw new BadScriptError(`${line.command}: argument ${position + 1} must be a bare word`);
  }
  return arg.key;
}

/** The bare argument at `position` as a number. */
export function positionalNumber(line: CommandLine, position: number): number {
  return toNumber(positional(line, position), line.command);
}

/** All bare arguments, as numbers. */
export function positionalNumbers(line: CommandLine): number[] {
  return line.args.filter((arg) => arg.values === undefined).map((arg) => toNumber(arg.key, line.command));
}

/** The values of every `key=`, in order; empty when it is not given. */
export function valuesOf(line: CommandLine, key: string): readonly string[] {
  return line.args.filter((arg) => arg.key === key).flatMap((arg) => arg.values ?? []);
}

/** The last value of `key=`, or undefined. */
export function valueOf(line: CommandLine, key: string): string | undefined {
  return valuesOf(line, key).at(-1);
}

/** The values of `key=` as numbers. */
export function numbersOf(line: CommandLine, key: string): number[] {
  return valuesOf(line, key).map((value) => toNumber(value, `${line.command} ${key}`));
}

/** The value of `key=` as a number, or undefined. */
export function numberOf(line: CommandLine, key: string): number | undefined {
  return numbersOf(line, key).at(-1);
}

/** The value of `key=` as true or false; false when it is not given. */
export function flagOf(line: CommandLine, key: string): boolean {
  const value = valueOf(line, key);
  return value !== undefined && toBoolean(value, `${line.command} ${key}`);
}

/** Refuses arguments that a command does not know, so that a misspelled option cannot pass unseen. */
export function expectKeys(line: CommandLine, keys: readonly string[]): void {
  const unknown = line.args.find((arg) => arg.values !== undefined && !keys.includes(arg.key));
  if (unknown !== undefined) {
    const known = keys.length === 0 ? "it has none" : `known are ${keys.join(", ")}`;
    throw new BadScriptError(`${line.command}: unknown option ${unknown.key}; ${known}`);
  }
}

/** What is above the safe integers stands for "no limit" in these files. */
function toNumber(text: string, what: string): number {
  if (!/^\d+$/.test(text)) {
    throw new BadScriptError(`${what}: ${text} must be an integer >= 0`);
  }
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}

function toBoolean(text: string, what: string): boolean {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) {
    return true;
  }
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) {
    return false;
  }
  throw new BadScriptError(`${what}: ${text} must be true or false`);
}
