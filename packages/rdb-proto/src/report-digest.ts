/** What the digest covers of a RegionReport; the message itself fits. Ids and epochs are safe integers. */
export interface DigestedReport {
  readonly regionId: number | bigint;
  readonly peerId: number | bigint;
  readonly epoch?: { readonly confVer: number | bigint; readonly version: number | bigint } | undefined;
  readonly isLeader: boolean;
}

/**
 * Eight bytes that say whether two sides know the same reports of one Store: Region, peer, epoch and who leads.
 * The order of the reports does not count; a Region must not stand there twice. No reports: eight zero bytes.
 *
 * Sizes and terms are left out on purpose: they change all the time, and a leader reports them by itself.
 * It finds accidents, not forgeries.
 */
export function reportsDigest(reports: Iterable<DigestedReport>): Uint8Array {
  let high = 0;
  let low = 0;
  for (const report of reports) {
    const words = reportWords(report);
    high = (high + hashWords(words, 0x9e3779b9)) >>> 0;
    low = (low + hashWords(words, 0x85ebca6b)) >>> 0;
  }
  const digest = new Uint8Array(8);
  const view = new DataView(digest.buffer);
  view.setUint32(0, high);
  view.setUint32(4, low);
  return digest;
}

function reportWords(report: DigestedReport): number[] {
  const words: number[] = [report.isLeader ? 1 : 0];
  for (const value of [
    report.regionId,
    report.peerId,
    report.epoch?.confVer ?? 0,
    report.epoch?.version ?? 0,
  ]) {
    const number = Number(value);
    words.push(Math.floor(number / 2 ** 32) >>> 0, number >>> 0);
  }
  return words;
}

/** FNV-1a over 32-bit words, each stirred first, so that small ids spread over all bits (MurmurHash3's steps). */
function hashWords(words: readonly number[], seed: number): number {
  let hash = seed;
  for (const word of words) {
    hash = Math.imul(hash ^ stir(word + seed), 0x01000193);
  }
  return stir(hash);
}

function stir(value: number): number {
  let stirred = value >>> 0;
  stirred = Math.imul(stirred ^ (stirred >>> 16), 0x85ebca6b);
  stirred = Math.imul(stirred ^ (stirred >>> 13), 0xc2b2ae35);
  return (stirred ^ (stirred >>> 16)) >>> 0;
}
