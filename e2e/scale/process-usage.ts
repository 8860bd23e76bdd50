import { readFileSync } from "node:fs";

/** Of the kernel's clock, in which it counts the time of processes; 100 on every Linux that is built today. */
const CLOCK_TICKS_PER_SECOND = 100;
/** Fields of /proc/PID/stat after the name, which ends with the last bracket. */
const USER_TIME_FIELD = 11;
const SYSTEM_TIME_FIELD = 12;

/** Processor time that a process has used so far, all threads, in seconds. Linux only. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[USER_TIME_FIELD]) + Number(fields[SYSTEM_TIME_FIELD])) / CLOCK_TICKS_PER_SECOND;
}

/** Resident memory of a process in bytes. Linux only. */
export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  if (match === null) {
    throw new Error(`/proc/${pid}/status has no VmRSS`);
  }
  return Number(match[1]) * 1024;
}
