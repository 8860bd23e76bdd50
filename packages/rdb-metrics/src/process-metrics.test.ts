import { expect, test } from "vitest";
import { ProcessMetrics } from "./process-metrics.ts";

test("a process shows its memory, its CPU time, its loop and its version", async () => {
  const metrics = new ProcessMetrics({ program: "rdb-test", version: "1.2.3" });
  metrics.start();
  try {
    const sampled = async (): Promise<string> => {
      for (;;) {
        const text = await metrics.render();
        if (!text.includes("flaredb_process_event_loop_delay_seconds_count 0\n")) {
          return text;
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const text = await sampled();
    expect(text).toContain(
      `flaredb_build_info{program="rdb-test",version="1.2.3",node="${process.versions.node}"} 1`,
    );
    expect(text).toMatch(/^process_resident_memory_bytes [1-9]\d{6,}$/m);
    expect(text).toMatch(/^flaredb_process_heap_bytes\{state="used"\} [1-9]\d{5,}$/m);
    expect(text).toMatch(/^process_cpu_seconds_total \d*\.\d+$/m);
    expect(text).toMatch(/^process_start_time_seconds 1?\d{10}/m);
  } finally {
    metrics.stop();
  }
});
