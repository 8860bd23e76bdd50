// Numbers that a program was given on its command line. One that cannot be used ends the program before it begins
// anything, with what it must be and exit code 2.

const USAGE_EXIT_CODE = 2;

/** @param name as the flag is written, without dashes. @returns a whole number, at least `least` */
export function wholeFlag(name: string, text: string, least = 1): number {
  const value = Number(text);
  const isFit = text !== "" && Number.isSafeInteger(value) && value >= least;
  return isFit ? value : refuse(name, text, `a whole number, at least ${least}`);
}

/** @param name as the flag is written, without dashes. @returns a finite number above 0 */
export function positiveFlag(name: string, text: string): number {
  const value = Number(text);
  return Number.isFinite(value) && value > 0 ? value : refuse(name, text, "a number above 0");
}

function refuse(name: string, text: string, what: string): never {
  console.error(`--${name} ${text === "" ? '""' : text} must be ${what}`);
  process.exit(USAGE_EXIT_CODE);
}
