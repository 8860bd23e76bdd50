const unitBytes: Readonly<Record<string, number>> = { "": 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** A size as given on the command line: `4096`, `64KiB`, `32MiB`, `2GiB`. @throws Error when it is none */
export function parseBytes(text: string): number {
  const match = /^(\d+)(KiB|MiB|GiB|)$/.exec(text);
  const unit = unitBytes[match?.[2] ?? ""];
  if (match === null || unit === undefined) {
    throw new Error(`"${text}" must be a size such as 4096, 64KiB, 32MiB or 2GiB`);
  }
  return Number(match[1]) * unit;
}
