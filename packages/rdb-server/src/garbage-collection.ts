import { type PerformanceEntry, PerformanceObserver, constants } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { MiB } from "@flaredb/rdb-base";
import { countExternalMemoryAsHeap } from "./external-memory.ts";

/** A heap of which less than this is alive counts as small. */
const SMALL_HEAP_MAX_BYTES = 96 * MiB;
/** By how much of what is alive a small heap may grow before everything is collected. */
const SMALL_HEAP_GROWTH_PERCENT = 400;
/** V8 decides, by how fast it collects and how fast garbage comes. */
const BY_ITSELF = 0;

/** Kinds of collections that walk over everything that is alive. */
const FULL_KINDS: ReadonlySet<number> = new Set([
  constants.NODE_PERFORMANCE_GC_MAJOR,
  constants.NODE_PERFORMANCE_GC_INCREMENTAL,
]);

/**
 * Sets how V8 collects the garbage of a Store: nearly all of it is young, and lies outside of the heap as much as in it.
 * Measured, with what each part is good for: docs/adr/0025. For the whole process, its threads too.
 *
 * - Memory outside of the heap counts with it.
 * - New objects are young. By itself V8 makes those of a place in the code old from the start once enough of them lived for
 *   long, as they do while a Store starts or catches up; afterwards they are garbage that only a full collection finds.
 * - Young garbage is collected by the loop alone: little survives, so that helpers cost more than they take off it.
 * - A small heap grows by a multiple of itself before everything is collected; a large one as V8 sees fit.
 */
export function tuneGarbageCollection(): void {
  countExternalMemoryAsHeap();
  setFlagsFromString("--no-allocation-site-pretenuring");
  setFlagsFromString("--no-parallel-scavenge");
  letSmallHeapGrow();
}

/**
 * By how much of what is alive the heap may grow before everything is collected, in percent; 0: as V8 sees fit.
 *
 * @param aliveBytes in the heap and outside of it
 */
export function growthPercent(aliveBytes: number): number {
  return aliveBytes < SMALL_HEAP_MAX_BYTES ? SMALL_HEAP_GROWTH_PERCENT : BY_ITSELF;
}

function letSmallHeapGrow(): void {
  let percent = growthPercent(0);
  setGrowth(percent);
  new PerformanceObserver((list) => {
    if (list.getEntries().some(isFull)) {
      // Nearly all that is there so soon afterwards is alive.
      const { heapUsed, external } = process.memoryUsage();
      const wanted = growthPercent(heapUsed + external);
      if (wanted !== percent) {
        percent = wanted;
        setGrowth(percent);
      }
    }
  }).observe({ entryTypes: ["gc"] });
}

/** From the next full collection on. */
function setGrowth(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}

function isFull(entry: PerformanceEntry): boolean {
  // Node's entries of collections have it, and its types do not.
  const { detail } = entry as PerformanceEntry & { readonly detail: { readonly kind: number } };
  return FULL_KINDS.has(detail.kind);
}
