/** One program that a line of shell calls. */
export interface Call {
  /** `NAME=value` before it. */
  readonly environment: Readonly<Record<string, string>>;
  /** The program, then its arguments, without quotes. */
  readonly words: readonly string[];
}

/** One line of a block of shell. */
export interface ShellLine {
  /** As written, without comment, every gap one space: its name in `notRun`. */
  readonly source: string;
  /** One, or several with `&&` between them. */
  readonly calls: readonly Call[];
  /** What the document says that it prints, behind `# → `; undefined: it does not say. */
  readonly output: string | undefined;
}

/** The lines of a block of shell; one that ends with `\` goes on in the next. What stands behind a `#` is for the reader. */
export function shellLines(text: string): ShellLine[] {
  return text
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n")
    .flatMap((line) => {
      const { code, comment } = cut(line);
      const source = code.trim().replaceAll(/\s+/g, " ");
      const calls = source === "" ? [] : callsOf(source);
      return source === "" ? [] : [{ source, calls, output: /^→ (.*)$/.exec(comment.trim())?.[1]?.trim() }];
    });
}

const WORD = /((?:[^\s'"]|'[^']*'|"[^"]*")+)/g;

/** The words of one call, without quotes. */
export function wordsOf(source: string): string[] {
  return [...source.matchAll(WORD)].map(([word]) =>
    word.replaceAll(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? ""),
  );
}

function cut(line: string): { code: string; comment: string } {
  const code = /^(?:[^\s'"#]|'[^']*'|"[^"]*"|\s(?!#)|(?<=\S)#)*/.exec(line)?.[0] ?? "";
  return { code, comment: line.slice(code.length).replace(/^\s*#\s*/, "") };
}

function callsOf(source: string): Call[] {
  return source.split(" && ").map((part) => {
    const words = wordsOf(part);
    const isSetting = words.map((word) => /^[A-Z][A-Z0-9_]*=/.test(word));
    const firstWord = isSetting.indexOf(false) === -1 ? words.length : isSetting.indexOf(false);
    const settings = words.slice(0, firstWord).map((word) => {
      const equals = word.indexOf("=");
      return [word.slice(0, equals), word.slice(equals + 1)] as const;
    });
    return { environment: Object.fromEntries(settings), words: words.slice(firstWord) };
  });
}
