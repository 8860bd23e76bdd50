// Figures as people read them. Always of about the same width, so that what changes does not jump.

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;
const COUNT_UNITS = ["", "k", "M", "G", "T"] as const;

/** Bytes in units of 1,024, with three digits: `1.50 MiB`. */
export function formatBytes(bytes: number): string {
  const { value, step } = scaled(bytes, 1024, BYTE_UNITS.length);
  return `${step === 0 ? Math.round(value) : threeDigits(value)} ${BYTE_UNITS[step]}`;
}

/** A count or rate in units of 1,000 from 10,000 on: `9,480`, `12.3k`. */
export function formatCount(count: number): string {
  if (Math.abs(count) < 10_000) {
    return count !== 0 && Math.abs(count) < 10 && !Number.isInteger(count)
      ? count.toFixed(1)
      : Math.round(count).toLocaleString("en");
  }
  const { value, step } = scaled(count, 1000, COUNT_UNITS.length);
  return `${threeDigits(value)}${COUNT_UNITS[step]}`;
}

/** A rate a second: `1,204/s`. */
export function formatRate(perSecond: number): string {
  return `${formatCount(perSecond)}/s`;
}

/** Milliseconds that something took: `0.82 ms`, `1.20 s`. */
export function formatLatency(ms: number): string {
  return ms === 0 ? "0 ms" : ms < 1000 ? `${threeDigits(ms)} ms` : `${threeDigits(ms / 1000)} s`;
}

const SECOND_MS = 1000;
const spans = [
  { unit: "d", ms: 86_400 * SECOND_MS },
  { unit: "h", ms: 3_600 * SECOND_MS },
  { unit: "min", ms: 60 * SECOND_MS },
  { unit: "s", ms: SECOND_MS },
] as const;

/** A span in its largest unit, and in the next one where that says something: `3 h 20 min`, `45 s`. */
export function formatSpan(ms: number): string {
  if (ms < SECOND_MS) {
    return `${Math.max(0, Math.round(ms))} ms`;
  }
  const at = spans.findIndex((span) => ms >= span.ms);
  const span = spans[at];
  if (span === undefined) {
    return "0 s";
  }
  const whole = Math.floor(ms / span.ms);
  const next = spans[at + 1];
  const rest = next === undefined || whole >= 10 ? 0 : Math.floor((ms - whole * span.ms) / next.ms);
  return rest === 0 || next === undefined
    ? `${whole} ${span.unit}`
    : `${whole} ${span.unit} ${rest} ${next.unit}`;
}

/** How long ago a moment was; the clocks of two machines may differ, and the future is `now`. */
export function formatAgo(thenMs: number, nowMs: number): string {
  const ms = nowMs - thenMs;
  return thenMs === 0 ? "never" : ms < 1500 ? "now" : `${formatSpan(ms)} ago`;
}

/** A part of a whole in per cent; a part of nothing is nothing. */
export function formatShare(part: number, whole: number): string {
  const percent = whole === 0 ? 0 : (part / whole) * 100;
  return `${percent > 0 && percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
}

/** `1 Region`, `2 Regions`. */
export function counted(count: number, thing: string): string {
  return `${count.toLocaleString("en")} ${thing}${count === 1 ? "" : "s"}`;
}

/** The time of day where the reader is, to the second: `14:03:22`. */
export function formatTime(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 8);
}

function scaled(value: number, base: number, unitCount: number): { value: number; step: number } {
  let step = 0;
  let rest = value;
  // From where it would be rounded up to a whole next unit.
  while (Math.abs(rest) >= base * 0.9995 && step < unitCount - 1) {
    rest /= base;
    step += 1;
  }
  return { value: rest, step };
}

function threeDigits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}
