import { getHeapStatistics } from "node:v8";
import { measure } from "mitata";
import type { MicroCase } from "./micro-case.ts";

/** What one operation of a case costs. */
export interface MicroFigures {
  readonly name: string;
  readonly p50Ns: number;
  readonly p99Ns: number;
  /** Memory that was allocated, buffers included. */
  readonly bytes: number;
}

export interface MeasureOptions {
  /** How long at least. Default: mitata's, some 0.7 s. */
  readonly minMs?: number;
}

/** Measures one case. Take a young generation large enough that samples are not cut by collections. */
export async function measureCase(
  microCase: MicroCase,
  { minMs }: MeasureOptions = {},
): Promise<MicroFigures> {
  const { name, operations } = microCase;
  const prepared = await microCase.prepare();
  try {
    const stats = await measure(() => prepared.run(), {
      heap: allocatedBytes,
      ...(minMs === undefined ? {} : { min_cpu_time: minMs * 1e6, min_samples: 2 }),
    });
    return {
      name,
      p50Ns: stats.p50 / operations,
      p99Ns: stats.p99 / operations,
      bytes: (stats.heap?.avg ?? 0) / operations,
    };
  } finally {
    await prepared.dispose?.();
  }
}

function allocatedBytes(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}
