import { peerId, regionId } from "@flaredb/rdb-base";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { PeerReport } from "./region-info.ts";
import { ReportTable } from "./report-table.ts";

const reports: fc.Arbitrary<PeerReport[]> = fc.array(
  fc
    .record({
      id: fc.integer({ min: 1, max: 60 }),
      peer: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      confVer: fc.nat(),
      version: fc.nat(),
      isLeader: fc.boolean(),
    })
    .map(({ id, peer, confVer, version, isLeader }) => ({
      regionId: regionId(id),
      peerId: peerId(peer),
      epoch: { confVer, version },
      isLeader,
    })),
  { maxLength: 100 },
);

test("it keeps what a map of the reports keeps", () => {
  fc.assert(
    fc.property(reports, reports, (first, second) => {
      const table = new ReportTable(first);
      for (const report of second) {
        table.set(report);
      }
      const plain = new Map([...first, ...second].map((report) => [report.regionId, report]));
      expect([...table.values()]).toEqual([...plain.values()]);
      expect(table.size).toBe(plain.size);
      for (let id = 1; id <= 60; id++) {
        expect(table.get(regionId(id))).toEqual(plain.get(regionId(id)));
      }
    }),
  );
});
