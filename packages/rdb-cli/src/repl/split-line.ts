import { invalid } from "../input/bytes.ts";

/**
 * The words of a line as shells cut it: at white space, but for what is quoted. Between single quotes everything is as
 * it stands; between double quotes, and outside, a backslash takes the next character as it is.
 *
 * @throws RdbError RDB_INVALID_ARGUMENT for a quote that is not closed
 */
export function splitLine(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: "'" | '"' | undefined;
  const characters = Array.from(line);
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] as string;
    if (character === "\\" && quote !== "'" && at + 1 < characters.length) {
      at++;
      word = (word ?? "") + characters[at];
    } else if (character === quote) {
      quote = undefined;
    } else if (quote === undefined && (character === "'" || character === '"')) {
      quote = character;
      word ??= "";
    } else if (quote === undefined && /\s/.test(character)) {
      if (word !== undefined) {
        words.push(word);
      }
      word = undefined;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (quote !== undefined) {
    throw invalid("line", `the line has a ${quote} that is not closed`);
  }
  return word === undefined ? words : [...words, word];
}
