/** What a log line carries beside its message: small, flat values. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured logs (SPEC R8). pino fits as it is. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger whose every line also carries `fields`. */
  child(fields: LogFields): Logger;
}

const ignore = (): void => {};

/** Drops every line: for tests, and for tools whose output is not a log. */
export const silentLogger: Logger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  child: () => silentLogger,
};
