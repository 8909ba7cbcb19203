import { defineConfig } from 'vitest/config';

/** What measures this machine, or counts what it does, has it to itself: what runs beside it would be measured too. */
const MEASURES = [
  'test/cli/{latency{,-causes,-fix-killed,-planted},verify-all}.test.ts',
  'test/unit/latency/{life,load,measured,pipeline,program}.test.ts',
  'test/unit/latency/servers/zeromq.test.ts',
];

export default defineConfig({
  test: {
    // Machines may be slow, and do other things: what hangs is found, however long it takes.
    testTimeout: 120_000,
    // Compiling hft-probe.
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000, interval: 20 } },
    // Most of their time such tests wait.
    maxConcurrency: 6,
    // One line a file, but for what takes long, so that the end can be seen.
    slowTestThreshold: 10_000,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary'] },
    projects: [
      {
        extends: true,
        test: {
          name: 'beside each other',
          include: ['test/**/*.test.ts'],
          exclude: ['test/lab/**', ...MEASURES],
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: MEASURES, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
