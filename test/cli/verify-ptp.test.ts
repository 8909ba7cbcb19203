import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect } from 'vitest';
import { IMPATIENT, linuxptpVersion, whyNoBed } from './ptp-bed.ts';
import { sync, test, verify } from './ptp-verified.ts';
import { buildWhenStale, HFT } from './run-hft.ts';

const reason = whyNoBed();
/** Seconds on a quiet machine. */
const BUSY_MS = 300_000;

/** Software stamps on a busy machine: what is judged here is not how well it does. */
const WIDE = ['--limit', '500ms', '--timescale', 'arbitrary'];

beforeAll(buildWhenStale);

const where = reason === undefined ? `linuxptp ${linuxptpVersion()}` : `skipped: ${reason}`;

describe.skipIf(reason !== undefined)(
  `verify ptp on real daemons (${where})`,
  {
    timeout: BUSY_MS,
    concurrent: true,
  },
  () => {
    test('synced: everything passes, and the report says what was seen', async ({ bed }) => {
      await sync(bed);
      const { exitCode, report, wrong } = await verify(bed, ...WIDE);
      expect({ wrong, exitCode }).toEqual({ wrong: [], exitCode: 0 });
      expect(report.clocks).toMatchObject([
        {
          name: 'slave',
          domain: 24,
          state: {
            port: { number: 1, state: 'SLAVE', timestamping: 'SOFTWARE' },
            servo: 's2',
            grandmaster: { clockClass: 6, accuracyNs: 100 },
            stepsRemoved: 1,
            time: { timescale: 'arbitrary', utcOffsetS: 37 },
            system: null,
          },
        },
      ]);
      const [clock] = report.clocks;
      expect(clock?.state?.pathDelayNs).toBeGreaterThan(0);
      expect(clock?.state?.sync.received).toBeGreaterThan(0);
      expect(clock?.limits.map(({ name, limitNs }) => [name, limitNs])).toEqual([
        ['internal', 500e6],
        ['rts-25', 100e3],
        ['cat', 50e6],
      ]);
    });

    test('a time that nothing ties to UTC, and a limit of a tenth of a picosecond, do not pass', async ({ bed }) => {
      await sync(bed);
      expect((await verify(bed, '--limit', '500ms')).wrong).toEqual([
        'ptp.timescale@slave fail',
        'ptp.limit@slave/rts-25 unknown',
        'ptp.limit@slave/cat unknown',
      ]);
      const { exitCode, wrong } = await verify(bed, '--timescale', 'arbitrary', '--limit', '0.0001ns');
      expect(wrong).toEqual(['ptp.offset@slave fail', 'ptp.limit@slave/internal fail']);
      expect(exitCode).toBe(1);
    });

    test('one that only watches follows when that is said, and not else', async ({ bed }) => {
      await sync(bed, { free_running: '1' });
      expect(await verify(bed, ...WIDE, '--free-running')).toMatchObject({ wrong: [], exitCode: 0 });
      expect((await verify(bed, ...WIDE)).wrong).toEqual([
        'ptp.port-state@slave fail',
        'ptp.steering@CLOCK_REALTIME fail',
      ]);
    });

    test('another grandmaster than the one that may be followed', async ({ bed }) => {
      await sync(bed);
      expect((await verify(bed, ...WIDE, '--grandmaster', '000000.fffe.000001')).wrong).toEqual([
        'ptp.grandmaster@slave fail',
      ]);
    });

    test('grandmaster killed: the offset it left behind does not pass', async ({ bed }) => {
      await sync(bed, IMPATIENT);
      await bed.kill('master');
      const early = await verify(bed, ...WIDE, '--duration', '8s');
      expect(early.exitCode).toBe(1);
      expect(early.of('sync')).toMatchObject([{ status: 'fail' }]);
      await bed.until('slave', 'GET PORT_DATA_SET', /LISTENING/);
      const late = await verify(bed, ...WIDE, '--free-running');
      expect(late.exitCode).toBe(1);
      expect(late.of('port-state')).toMatchObject([{ status: 'fail', actual: 'LISTENING' }]);
      expect(late.of('sync')).toMatchObject([{ status: 'fail' }]);
      // Of what it still says nothing passes: gmPresent true, the identity, the class, a small offset.
      for (const check of [
        'grandmaster',
        'clock-class',
        'clock-accuracy',
        'timescale',
        'offset',
        'path-delay',
        'limit',
      ])
        for (const { status } of late.of(check)) expect(status).not.toBe('pass');
    });

    test('Sync dropped with Announce alive: the state stays, the offset is frozen, and it fails', async ({ bed }) => {
      await sync(bed);
      await bed.dropSync();
      const { exitCode, of } = await verify(bed, ...WIDE, '--free-running', '--duration', '8s');
      expect(exitCode).toBe(1);
      expect(of('port-state')).toMatchObject([{ status: 'pass' }]);
      expect(of('sync')).toMatchObject([{ status: 'fail' }]);
      expect(of('sync')[0]?.evidence).toMatch(/[1-9]\d* Announce received meanwhile/);
      for (const check of ['offset', 'limit']) for (const { status } of of(check)) expect(status).not.toBe('pass');
    });

    test('wrong domain: it hears nobody', async ({ bed }) => {
      bed.startMaster({ domainNumber: '0' });
      await bed.until('master', 'GET PORT_DATA_SET', /MASTER/, 0);
      bed.startSlave();
      await bed.until('slave', 'GET PORT_DATA_SET', /LISTENING/);
      const { exitCode, of } = await verify(bed, ...WIDE, '--free-running');
      expect(exitCode).toBe(1);
      expect(of('port-state')).toMatchObject([
        { status: 'fail', evidence: expect.stringContaining('no master in this domain') },
      ]);
      expect(of('offset')).toMatchObject([{ status: 'fail', evidence: expect.stringContaining('not a measurement') }]);
    });

    test('never synced: an offset of 0 is no perfect offset', async ({ bed }) => {
      bed.startSlave({ free_running: '1' });
      await bed.until('slave', 'GET TIME_STATUS_NP', /master_offset +0\s/);
      const { exitCode, report, of } = await verify(bed, ...WIDE, '--free-running');
      expect(exitCode).toBe(1);
      expect(report.clocks[0]?.state?.offsetNs).toBe(0);
      for (const check of ['sync', 'offset', 'port-state', 'grandmaster', 'steps-removed', 'path-delay'])
        expect([check, of(check)[0]?.status]).toEqual([check, 'fail']);
      for (const { status } of of('limit')) expect(status).not.toBe('pass');
    });

    test('daemon stopped: no answer, and it says so', async ({ bed }) => {
      await sync(bed);
      await bed.kill('slave');
      const { exitCode, of } = await verify(bed, ...WIDE);
      expect(exitCode).toBe(1);
      expect(of('daemon')).toMatchObject([{ status: 'fail', evidence: expect.stringContaining('nothing answered') }]);
      // Without a socket to ask: nothing runs but the grandmaster, which follows nobody.
      const everything = await bed.hft('--json', ...WIDE);
      expect(everything.exitCode).toBe(1);
    });

    test('asked in a domain that it is not in', async ({ bed }) => {
      await sync(bed);
      const { stdout, exitCode } = await bed.hft('--json', '--socket', bed.socket('slave'), '--domain', '3', ...WIDE);
      expect(exitCode).toBe(1);
      expect(JSON.parse(stdout).results[0]).toMatchObject({
        status: 'fail',
        evidence: expect.stringContaining('domain 24'),
      });
    });

    test('UTC sent for TAI: 37 s off, and the flags are named', async ({ bed }) => {
      await sync(bed, { free_running: '1' });
      await bed.announce({
        ptpTimescale: '1',
        currentUtcOffsetValid: '1',
        timeTraceable: '1',
        frequencyTraceable: '1',
      });
      await bed.until('slave', 'GET TIME_STATUS_NP', /master_offset +-?3[67]\d{9}\s/);
      const { exitCode, of } = await verify(bed, '--limit', '500ms', '--free-running');
      expect(exitCode).toBe(1);
      expect(of('offset')).toMatchObject([{ status: 'fail', evidence: expect.stringContaining('TAI taken for UTC') }]);
      for (const { status } of of('limit')) expect(status).toBe('fail');
    });

    test('a wrong UTC offset with a small offset to the grandmaster', async ({ bed }) => {
      await sync(bed, { free_running: '1' });
      const flags = { ptpTimescale: '1', currentUtcOffsetValid: '1', timeTraceable: '1', frequencyTraceable: '1' };
      await bed.announce({ ...flags, currentUtcOffset: '0' });
      await bed.until('slave', 'GET TIME_PROPERTIES_DATA_SET', /currentUtcOffset +0\s/);
      const { exitCode, of } = await verify(bed, '--limit', '500ms', '--free-running');
      expect(exitCode).toBe(1);
      expect(of('timescale')).toMatchObject([{ status: 'fail', evidence: expect.stringContaining('37 s ahead') }]);
    });

    test('a grandmaster that lost its reference', async ({ bed }) => {
      await sync(bed);
      await bed.announce({ clockClass: '187', clockAccuracy: '0xfe' });
      await bed.until('slave', 'GET PARENT_DATA_SET', /gm.ClockClass +187/);
      // A time of its own has no error against UTC: its accuracy is not asked.
      expect((await verify(bed, ...WIDE)).wrong).toEqual(['ptp.clock-class@slave fail']);
    });

    test.runIf(linuxptpVersion().startsWith('4'))(
      'the read-only socket answers everybody, root or not',
      async ({ bed }) => {
        await sync(bed);
        chmodSync(bed.folder, 0o755);
        const nobody = [
          'setpriv',
          '--reuid=nobody',
          '--regid=nogroup',
          '--clear-groups',
          'env',
          '-u',
          'HFT_STATE_DIR',
          'HOME=/tmp',
        ];
        const ask = (socket: string) =>
          bed.run([
            ...nobody,
            HFT,
            'verify',
            'ptp',
            '--json',
            ...WIDE,
            '--socket',
            socket,
            '--domain',
            '24',
            '--duration',
            '2s',
          ]);
        const answered = await ask(`${bed.socket('slave')}ro`);
        expect(JSON.parse(answered.stdout).summary).toMatchObject({ fail: 0, unknown: 0 });
        expect(answered.status).toBe(0);
        // The other one is closed to nobody, which proves nothing about the clock.
        expect(JSON.parse((await ask(bed.socket('slave'))).stdout).results[0]).toMatchObject({ status: 'unknown' });
      },
    );

    test('a second daemon that steers is named with its pid', async ({ bed }) => {
      await sync(bed);
      bed.startSlave({}, 'other');
      await bed.until('other', 'GET PORT_DATA_SET', /portState/);
      const { exitCode, wrong, of } = await verify(bed, ...WIDE);
      expect(exitCode).toBe(1);
      expect(wrong).toEqual(['ptp.steering@CLOCK_REALTIME fail']);
      const pid = (await bed.pidsOf('other.conf')).at(-1);
      expect(of('steering')[0]?.evidence).toContain(`(${pid}`);
    });

    test('watched: an excursion and its end are evidence, chained, and metrics are kept', async ({ bed }) => {
      await sync(bed);
      const metrics = join(bed.folder, 'ptp.prom');
      const args = [
        '--watch',
        '--evidence',
        '--metrics',
        metrics,
        ...WIDE,
        '--socket',
        bed.socket('slave'),
        '--domain',
        '24',
      ];
      const watching = bed.start([HFT, 'verify', 'ptp', ...args]);
      let said = '';
      watching.stdout?.on('data', (piece: Buffer) => {
        said += piece;
      });
      const untilSaid = async (pattern: RegExp) => {
        for (let tries = 0; tries < 600 && !pattern.test(said); tries++) await sleep(100);
        expect(said).toMatch(pattern);
      };
      await untilSaid(/slave SLAVE offset .* ok\n/);
      // It is written after the line.
      const written = () => (existsSync(metrics) ? readFileSync(metrics, 'utf8') : '');
      while (!/^hft_ptp_port_state\{iface="slave",state="SLAVE"\} 1$/m.test(written())) await sleep(100);
      await bed.kill('master');
      await untilSaid(/sync@slave/);
      const ended = once(watching, 'exit');
      for (const pid of (await bed.run(['pgrep', '-f', 'verify ptp --watch'])).stdout.split('\n').filter(Boolean))
        await bed.run(['kill', '-INT', pid]);
      expect(await ended).toEqual([1, null]);
      const lines = readFileSync(join(bed.folder, 'state/ptp/evidence-000001.jsonl'), 'utf8').trimEnd().split('\n');
      const records = lines.map((line) => JSON.parse(line) as { kind: string; id?: string });
      expect(records[0]).toMatchObject({ kind: 'start' });
      expect(records.some(({ kind, id }) => kind === 'excursion' && id === 'ptp.sync@slave')).toBe(true);
      expect(records.at(-1)).toMatchObject({ kind: 'end' });
      expect(await bed.hft('--check-evidence')).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining('whole'),
      });
    });
  },
);
