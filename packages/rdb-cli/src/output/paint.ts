/** How a piece of text looks on a terminal. */
export type Style = "good" | "warn" | "bad" | "title" | "faint";

/** Gives text a style, or leaves it as it is where there is no terminal. Never empty text: nothing needs no style. */
export type Paint = (text: string, style: Style | undefined) => string;

const codes: Readonly<Record<Style, readonly [on: number, off: number]>> = {
  good: [32, 39],
  warn: [33, 39],
  bad: [31, 39],
  title: [1, 22],
  faint: [2, 22],
};

/** What prints no escape sequences. */
export const plain: Paint = (text) => text;

/** What prints colours when `colors` is set, else {@link plain}. */
export function painter(colors: boolean): Paint {
  return colors ? paintAnsi : plain;
}

function paintAnsi(text: string, style: Style | undefined): string {
  if (style === undefined || text === "") {
    return text;
  }
  const [on, off] = codes[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

/**
 * Whether a stream shows colours: it is a terminal that can, and NO_COLOR (no-color.org) is not set to anything.
 *
 * @param isTerminal whether the stream is one
 */
export function wantsColors(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  return isTerminal && !env["NO_COLOR"] && env["TERM"] !== "dumb";
}
