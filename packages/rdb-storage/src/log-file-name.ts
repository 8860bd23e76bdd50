const LOG_FILE = /^(\d+)\.log$/;

/** The number of a write-ahead log, which rises from one log to the next; undefined: the file is none. */
export function logNumber(fileName: string): number | undefined {
  const digits = LOG_FILE.exec(fileName)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
