import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RegionEpochSchema, RegionReportSchema, reportsDigest } from "./index.ts";

interface PlainReport {
  readonly regionId: number;
  readonly peerId: number;
  readonly epoch: { readonly confVer: number; readonly version: number };
  readonly isLeader: boolean;
}

const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const report: fc.Arbitrary<PlainReport> = fc.record({
  regionId: id,
  peerId: id,
  epoch: fc.record({ confVer: fc.nat(1_000), version: fc.nat(1_000) }),
  isLeader: fc.boolean(),
});
const reports = fc.uniqueArray(report, { selector: (each) => each.regionId, maxLength: 20 });

test("SPEC-M6: the digest does not depend on the order of the reports", () => {
  fc.assert(
    fc.property(reports, (list) => {
      expect(reportsDigest(list.toReversed())).toEqual(reportsDigest(list));
    }),
  );
});

test("SPEC-M6: the digest of the wire's messages is that of the same plain reports", () => {
  fc.assert(
    fc.property(reports, (list) => {
      const messages = list.map((each) =>
        create(RegionReportSchema, {
          regionId: BigInt(each.regionId),
          peerId: BigInt(each.peerId),
          epoch: create(RegionEpochSchema, {
            confVer: BigInt(each.epoch.confVer),
            version: BigInt(each.epoch.version),
          }),
          isLeader: each.isLeader,
        }),
      );
      expect(reportsDigest(messages)).toEqual(reportsDigest(list));
    }),
  );
});

test("SPEC-M6: the digest changes with a Region more, and with each field of a report", () => {
  const base: PlainReport = { regionId: 7, peerId: 8, epoch: { confVer: 1, version: 1 }, isLeader: false };
  const variants: PlainReport[][] = [
    [],
    [base],
    [base, { ...base, regionId: 9 }],
    [{ ...base, regionId: 7 + 2 ** 32 }],
    [{ ...base, peerId: 9 }],
    [{ ...base, isLeader: true }],
    [{ ...base, epoch: { confVer: 2, version: 1 } }],
    [{ ...base, epoch: { confVer: 1, version: 2 } }],
    [{ ...base, regionId: 8, peerId: 7 }],
  ];
  const digests = variants.map((variant) => reportsDigest(variant).join(","));
  expect(new Set(digests).size).toBe(variants.length);
  expect(digests[0]).toBe("0,0,0,0,0,0,0,0");
});

test("SPEC-M6: 20,000 reports with neighbouring ids have 20,000 different digests", () => {
  const seen = new Set<string>();
  for (let region = 1; region <= 20_000; region++) {
    const single = {
      regionId: region,
      peerId: region + 1,
      epoch: { confVer: 1, version: 1 },
      isLeader: true,
    };
    seen.add(reportsDigest([single]).join(","));
  }
  expect(seen.size).toBe(20_000);
});
