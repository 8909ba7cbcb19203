import { deflateSync, inflateSync } from 'node:zlib';
import { build, HistogramLogReader, HistogramLogWriter } from 'hdr-histogram-js';
import { describe, expect, test } from 'vitest';
import { Histogram } from '../../../src/latency/histogram/histogram.ts';
import { bucketLayout } from '../../../src/latency/histogram/layout.ts';
import { HdrLogError, intervalsOfTag, readHdrLog } from '../../../src/latency/histogram/log-read.ts';
import { writeHdrLog } from '../../../src/latency/histogram/log-write.ts';
import { encodePayload } from '../../../src/latency/histogram/payload.ts';

const START_S = 1_790_000_000.25;

function histogramOf(...values: number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

const PAYLOAD = encodePayload(histogramOf(1000, 2000));
const read = (text: string) => readHdrLog(text, { file: 'app.hlog' });

function errorOf(text: string): string {
  try {
    read(text);
  } catch (error) {
    if (error instanceof HdrLogError) return error.message;
    throw error;
  }
  return 'no error';
}

describe('a log that is written', () => {
  const intervals = [
    { startEpochS: START_S, durationNs: 100_000_000, histogram: histogramOf(1000, 12_345_678) },
    { tag: 'cpu3', startEpochS: START_S + 0.1, durationNs: 100_000_000, histogram: histogramOf(9_999_999_999) },
    { startEpochS: START_S + 0.2, durationNs: 100_000_000, histogram: new Histogram() },
  ];
  const text = writeHdrLog(intervals, START_S);

  test('has the header, the times and the maximum in ms of the format', () => {
    const lines = text.split('\n');
    expect(lines[1]).toBe('#[Histogram log format version 1.3]');
    expect(lines[2]).toBe('#[BaseTime: 1790000000.250 (seconds since epoch)]');
    expect(lines[5]?.slice(0, 28)).toBe('0.000,0.100,12.346,HISTFAAAA');
    expect(lines[6]?.slice(0, 25)).toBe('Tag=cpu3,0.100,0.100,1000');
  });

  test('is read by the peer', () => {
    const reader = new HistogramLogReader(text, 64);
    const first = reader.nextIntervalHistogram();
    const second = reader.nextIntervalHistogram();
    const third = reader.nextIntervalHistogram();
    expect(first?.totalCount).toBe(2);
    expect(first?.startTimeStampMsec).toBeCloseTo(START_S * 1000, 3);
    expect([second?.tag, second?.totalCount]).toEqual(['cpu3', 1]);
    expect([third?.totalCount, reader.nextIntervalHistogram()]).toEqual([0, null]);
  });

  test('is read back', () => {
    const back = read(text);
    expect(back.map(({ line, tag, durationNs, histogram }) => [line, tag, durationNs, histogram.count])).toEqual([
      [6, undefined, 100_000_000, 2],
      [7, 'cpu3', 100_000_000, 1],
      [8, undefined, 100_000_000, 0],
    ]);
    expect(back[1]?.startEpochS).toBeCloseTo(START_S + 0.1, 6);
  });

  test('has no tag that would break its line', () => {
    expect(() => writeHdrLog([{ ...intervals[0], tag: 'a,b' } as never], START_S)).toThrow('no comma, got "a,b"');
  });
});

describe('a log of others', () => {
  test('of two digits, in microseconds, with tags and absolute times comes in at its own resolution', () => {
    const lines: string[] = [];
    const writer = new HistogramLogWriter((line) => lines.push(line));
    writer.outputLogFormatVersion();
    writer.outputStartTime(START_S * 1000);
    writer.outputLegend();
    for (const [i, tag] of ['orders', 'risk', 'orders'].entries()) {
      const histogram = build({
        bitBucketSize: 64,
        numberOfSignificantValueDigits: 2,
        highestTrackableValue: 60_000_000,
      });
      histogram.recordValueWithCount(50 + i, 10);
      histogram.tag = tag;
      writer.outputIntervalHistogram(histogram, START_S + i, START_S + i + 1);
    }
    const all = readHdrLog(`\uFEFF${lines.join('').replaceAll('\n', '\r\n')}`, { file: 'app.hlog', unitNs: 1000 });
    const { layout, intervals } = intervalsOfTag(all, { file: 'app.hlog', tag: 'orders' });
    expect([layout.significantDigits, layout.unitNs]).toEqual([2, 1000]);
    expect(intervals.map(({ startEpochS, durationNs }) => [startEpochS, durationNs])).toEqual([
      [START_S, 1e9],
      [START_S + 2, 1e9],
    ]);
    const whole = new Histogram(layout);
    for (const { histogram } of intervals) whole.merge(histogram);
    expect([whole.quantile(0.5), whole.quantile(0.99), whole.count]).toEqual([50_000, 52_000, 20]);
  });

  test('starts at StartTime when its times are relative and there is no BaseTime', () => {
    const log = `#[StartTime: ${START_S} (seconds since epoch)]\n5.5,1.0,0.002,${PAYLOAD}\n`;
    expect(read(log)[0]?.startEpochS).toBe(START_S + 5.5);
  });
});

/** A payload V0 or V1 before packing, 3 digits from 1 to 2048, each count in as many bytes, as HdrHistogram 1 and 2.0 wrote it. */
function oldPlain(version: 0 | 1, wordBytes: number, counts: number[], { offset = 0 } = {}): Buffer {
  const head = Buffer.alloc(version === 0 ? 32 : 40);
  head.writeUInt32BE((version === 0 ? 0x1c849308 : 0x1c849301) + (wordBytes << 4), 0);
  const at = version === 0 ? 4 : 12;
  if (version === 1) {
    head.writeUInt32BE(counts.length * wordBytes, 4);
    head.writeInt32BE(offset, 8);
  }
  head.writeInt32BE(3, at);
  head.writeBigInt64BE(1n, at + 4);
  head.writeBigInt64BE(2048n, at + 12);
  const words = Buffer.alloc(counts.length * wordBytes);
  counts.forEach((count, i) => {
    if (wordBytes === 8) words.writeBigInt64BE(BigInt(count), i * 8);
    else words.writeIntBE(count, i * wordBytes, wordBytes);
  });
  return Buffer.concat([head, words]);
}

function payloadOf(cookie: number, plain: Buffer): string {
  const packed = deflateSync(plain);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(cookie, 0);
  head.writeUInt32BE(packed.length, 4);
  return Buffer.concat([head, packed]).toString('base64');
}

describe('payloads of every age', () => {
  test.each<[0 | 1, number]>([
    [0, 2],
    [0, 4],
    [0, 8],
    [1, 2],
    [1, 4],
    [1, 8],
  ])('V%i with counts of %i bytes, packed and not', (version, wordBytes) => {
    const plain = oldPlain(version, wordBytes, [0, 3, 0, 0, 1000]);
    const cookie = (version === 0 ? 0x1c849309 : 0x1c849302) + (wordBytes << 4);
    for (const payload of [plain.toString('base64'), payloadOf(cookie, plain)]) {
      const [interval] = read(`0,1,2,${payload}\n`);
      expect([...(interval?.histogram.recorded() ?? [])]).toEqual([
        [1, 3],
        [4, 1000],
      ]);
    }
  });

  test('V2 that is not packed', () => {
    const packed = Buffer.from(PAYLOAD, 'base64');
    const plain = inflateSync(packed.subarray(8));
    const [interval] = read(`0,1,2,${plain.toString('base64')}\n`);
    expect(interval?.histogram.count).toBe(2);
    expect(interval?.histogram.maxNs).toBe(histogramOf(1000, 2000).quantile(1));
  });
});

describe('an error names file and line', () => {
  const plainOf = (digits: number, counts: number[]) => {
    const plain = Buffer.alloc(40 + counts.length);
    plain.writeUInt32BE(0x1c849313, 0);
    plain.writeUInt32BE(counts.length, 4);
    plain.writeInt32BE(digits, 12);
    plain.writeBigInt64BE(1n, 16);
    plain.writeBigInt64BE(2048n, 24);
    plain.set(counts, 40);
    return plain;
  };
  const V2 = 0x1c849314;

  test.each([
    ['', 'app.hlog:1  expected lines of start, length, maximum and payload, separated by commas, got none'],
    [
      `# a comment\n0,1,2\n`,
      'app.hlog:2  expected start, length, maximum and payload, separated by commas, got 3 fields',
    ],
    [`now,1,2,${PAYLOAD}`, 'app.hlog:1  expected the start of the interval in seconds, got "now"'],
    [`0,-1,2,${PAYLOAD}`, 'app.hlog:1  expected a length of at least 0 seconds, got -1'],
    [`0,1,,${PAYLOAD}`, 'app.hlog:1  expected the maximum of the interval, got ""'],
    ['#[StartTime: soon]\n', 'app.hlog:1  expected StartTime in seconds since 1970, got "soon"'],
    ['0,1,2,%%%%', 'app.hlog:1  the payload is not base64'],
    [`0,1,2,${PAYLOAD.slice(0, 40)}`, 'app.hlog:1  the payload is cut off: 22 of '],
    ['0,1,2,HISTFAAA', 'app.hlog:1  the payload has 6 bytes, too few for a histogram'],
    [`0,1,2,${payloadOf(0x0c72124f, Buffer.alloc(40))}`, 'got a DoubleHistogram'],
    [`0,1,2,${payloadOf(V2, oldPlain(1, 4, [1], { offset: 7 }))}`, 'whose counts are shifted'],
    [`0,1,2,${payloadOf(V2, oldPlain(1, 4, [-1]))}`, 'a count of -1 is negative'],
    [`0,1,2,${payloadOf(V2, oldPlain(0, 6, []))}`, 'counts of 6 bytes are not read'],
    [`0,1,2,${payloadOf(V2, oldPlain(0, 4, [1]).subarray(0, 34))}`, 'ends in the middle of a count'],
    [`0,1,2,${payloadOf(V2, oldPlain(0, 2, new Array(3073).fill(1)))}`, 'there are more than the 3072 counters'],
    [`0,1,2,${payloadOf(0x12345678, Buffer.alloc(40))}`, 'got something that starts with 0x12345678'],
    [`0,1,2,${payloadOf(V2, plainOf(3, []).subarray(0, 10))}`, 'the unpacked payload has 10 bytes, too few'],
    [`0,1,2,${payloadOf(V2, plainOf(9, []))}`, 'significant digits must be 1 to 5, got 9'],
    [`0,1,2,${payloadOf(V2, plainOf(3, [0x80]))}`, 'the payload ends in the middle of a count'],
    [`0,1,2,${payloadOf(V2, plainOf(3, [0xff, 0xff, 0x7f, 2]))}`, 'there are more than the 3072 counters'],
    [`0,1,2,${payloadOf(V2, plainOf(3, new Array(8).fill(0xfe).concat(0xff)))}`, 'is beyond 2 ** 53'],
  ])('%#', (text, message) => {
    expect(errorOf(text)).toContain(message);
    expect(errorOf(text)).toMatch(/^app\.hlog:\d+ {2}/);
  });

  test('a payload that does not unpack', () => {
    const broken = Buffer.from(PAYLOAD, 'base64');
    broken.fill(0xff, 10, 20);
    expect(errorOf(`0,1,2,${broken.toString('base64')}`)).toContain('app.hlog:1  the payload does not unpack: ');
  });

  test('a tag that does not occur', () => {
    const all = read(`Tag=a,0,1,2,${PAYLOAD}\n0,1,2,${PAYLOAD}\n`);
    expect(() => intervalsOfTag(all, { file: 'app.hlog', tag: 'b' })).toThrow(
      'app.hlog:1  expected intervals of b, got only a, (no tag)',
    );
  });

  test('intervals of different resolution', () => {
    const coarse = new Histogram(bucketLayout({ lowestDiscernible: 1, significantDigits: 2, highestTrackable: 1e9 }));
    const all = read(`0,1,2,${PAYLOAD}\n1,1,2,${encodePayload(coarse)}\n`);
    expect(() => intervalsOfTag(all, { file: 'app.hlog', tag: undefined })).toThrow(
      'app.hlog:2  expected 3 digits from 1 as in line 1, got 2 digits from 1',
    );
  });
});
