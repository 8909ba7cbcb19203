import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Decided, renderChrony, renderPtp4l, SOCKET } from '../../src/tuning/ptp/render.ts';
import { ptpWanted } from '../../src/tuning/ptp/schema.ts';
import { unitsOf } from '../../src/tuning/ptp/units.ts';
import { linuxptpVersion, PtpBed, UNCHECKED, whyNoBed } from './ptp-bed.ts';

const WISHES: readonly (readonly [name: string, wish: Record<string, unknown>])[] = [
  ['default', {}],
  ['default over Ethernet, from neighbour to neighbour', { transport: 'l2', delay: 'p2p' }],
  ['default over IPv6', { transport: 'udpv6' }],
  ['default, asked unicast', { masters: ['10.77.0.1', '10.77.0.9'] }],
  ['g8275.1', { profile: 'g8275.1' }],
  ['g8275.2', { profile: 'g8275.2', masters: ['10.77.0.1'] }],
  ['g8275.2 over IPv6, boundary', { profile: 'g8275.2', transport: 'udpv6', masters: ['fd00::1'], role: 'boundary' }],
  ['enterprise', { profile: 'enterprise' }],
  [
    'enterprise, a boundary clock with linreg and later steps',
    { profile: 'enterprise', role: 'boundary', servo: { kind: 'linreg', step: '1ms' } },
  ],
  ['speaks 2.0', { minorVersion: 0 }],
];

const reason = whyNoBed();

function decide(wish: Record<string, unknown>, more: Partial<Decided> = {}): Decided {
  const [major = 0, minor = 0] = linuxptpVersion().split('.').map(Number);
  return {
    wanted: ptpWanted.parse(wish),
    version: [major, minor],
    interfaces: ['slave'],
    stamps: 'software',
    clocks: [undefined],
    ...more,
  };
}

describe.skipIf(reason !== undefined)(
  `what is rendered, read by the real ptp4l (${reason === undefined ? `linuxptp ${linuxptpVersion()}` : `skipped: ${reason}`})`,
  { timeout: 300_000 },
  () => {
    let bed: PtpBed;
    beforeAll(async () => {
      bed = await PtpBed.make();
    });
    afterEach(() => bed.kill('rendered'));
    afterAll(() => bed?.end());

    test.each(WISHES)('%s', async (_, wish) => {
      const text = renderPtp4l(decide(wish)).replaceAll(SOCKET.replace('ptp4l', ''), `${bed.folder}/`);
      bed.startText('rendered', text, join(bed.folder, 'ptp4l'));
      await bed.until(
        'rendered',
        'GET PORT_PROPERTIES_NP',
        /interface +slave/,
        Number(/domainNumber (\d+)/.exec(text)?.[1]),
      );
      expect(bed.logOf('rendered')).not.toMatch(/unknown option|failed to parse|bad value|ignor/);
    });

    test('an option of another version would end it: this is what the tests above look for', async () => {
      const file = join(bed.folder, 'wrong.conf');
      writeFileSync(file, renderPtp4l(decide({})).replace('[global]', '[global]\nno_such_option 1'));
      const { stdout, stderr, status } = await bed.run(['ptp4l', '-f', file, '-m', '-q']);
      expect(status).not.toBe(0);
      expect(`${stdout}${stderr}`).toContain('unknown option no_such_option');
    });

    test('the grandmaster is followed by what is rendered', async () => {
      bed.startMaster({ domainNumber: '0' });
      const text = renderPtp4l(decide({ servo: { kind: UNCHECKED.clock_servo } }))
        .replaceAll(SOCKET.replace('ptp4l', ''), `${bed.folder}/`)
        .replace('[global]', `[global]\nsanity_freq_limit ${UNCHECKED.sanity_freq_limit}`);
      bed.startText('rendered', text, join(bed.folder, 'ptp4l'));
      await bed.until('rendered', 'GET PORT_DATA_SET', /SLAVE/, 0);
      const { stdout, exitCode } = await bed.hft(
        '--json',
        '--socket',
        bed.socket('rendered'),
        '--timescale',
        'arbitrary',
        '--limit',
        '500ms',
      );
      expect(JSON.parse(stdout).summary).toMatchObject({ fail: 0, unknown: 0 });
      expect(exitCode).toBe(0);
    });
  },
);

describe('by version', () => {
  const at = (version: readonly [number, number], wish: Record<string, unknown> = {}) =>
    renderPtp4l(decide(wish, { version, stamps: 'hardware' }));

  test('3.1 gets no option that it would die of', () => {
    const text = at([3, 1], { minorVersion: 0 });
    expect(text).toContain('slaveOnly 1');
    expect(text).not.toMatch(/clientOnly|uds_ro_address|ptp_minor_version/);
  });

  test('4.2 gets its own names', () => {
    const text = at([4, 2], { minorVersion: 0 });
    expect(text).toMatch(/clientOnly 1\nuds_ro_address \S+\nptp_minor_version 0/);
    expect(text).not.toContain('slaveOnly');
  });

  test('two ports of two cards', () => {
    const text = renderPtp4l(decide({}, { interfaces: ['a', 'b'], clocks: [0, 1], stamps: 'hardware' }));
    expect(text).toMatch(/boundary_clock_jbod 1[\s\S]*\[a\]\n\[b\]\n$/);
    expect(renderPtp4l(decide({}, { interfaces: ['a', 'b'], clocks: [0, 0], stamps: 'hardware' }))).not.toContain(
      'jbod',
    );
  });
});

describe('mistakes in a profile', () => {
  test.each([
    [{ profile: 'g8275.1', transport: 'udpv4' }, 'g8275.1 goes over l2, got udpv4'],
    [{ profile: 'g8275.1', domain: 0 }, 'the domains of g8275.1 are 24 to 43, got 0'],
    [{ profile: 'g8275.2' }, 'name its grandmasters under masters'],
    [{ profile: 'enterprise', delay: 'p2p' }, 'measures end to end'],
    [{ profile: 'power' }, 'expected default, g8275.1, g8275.2 or enterprise'],
    [{ transport: 'l2', masters: ['10.0.0.1'] }, 'which l2 is not'],
    [{ twoStep: false }, 'only who gives time sends Sync'],
    [{ interfaces: ['eth0\n[global]'] }, 'expected the name of an interface'],
    [{ masters: ['10.0.0.1\nx 1'] }, 'expected the address of a grandmaster'],
    [{ ts2phc: { source: 'nmea', interface: 'eth0' } }, 'source nmea needs serialPort'],
    [{ domain: 300 }, 'expected a whole number from 0 to 127'],
  ])('%j', (wish, message) => {
    const { error } = ptpWanted.safeParse(wish);
    expect(error?.issues.map((issue) => issue.message).join('; ')).toContain(message);
  });
});

const chronyd = spawnSync('/usr/sbin/chronyd', ['--version']);

test.runIf(chronyd.status === 0)('chronyd reads its reference clock', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hft-ptp-chrony-'));
  try {
    const check = (text: string) => {
      writeFileSync(join(folder, 'chrony.conf'), text);
      return spawnSync('/usr/sbin/chronyd', ['-p', '-f', join(folder, 'chrony.conf')], { encoding: 'utf8' });
    };
    expect(check(renderChrony(3, 'ptp'))).toMatchObject({ status: 0, stdout: expect.stringContaining('/dev/ptp3') });
    expect(check(renderChrony(3, 'arbitrary'))).toMatchObject({
      status: 0,
      stdout: expect.not.stringMatching(/tai|leapsectz/),
    });
    expect(check(`${renderChrony(3, 'arbitrary')}no_such_directive\n`).status).not.toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const analyze = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' });

test.runIf(analyze.status === 0)('systemd-analyze verify has nothing to say of the units', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hft-ptp-units-'));
  try {
    const wish = { ts2phc: { source: 'generic', interface: 'slave' } };
    const units = unitsOf(decide(wish, { stamps: 'hardware', interfaces: ['slave', 'ens1f0.100'] }), [0, 1, 4]);
    expect(units.map(({ name }) => name)).toEqual(['hft-ptp4l.service', 'hft-ts2phc.service', 'hft-phc2sys.service']);
    mkdirSync(folder, { recursive: true });
    // The programs of this machine are not what is tested.
    for (const { name, text } of units)
      writeFileSync(join(folder, name), text.replace(/ExecStart=\S+/, 'ExecStart=/bin/true'));
    const files = units.map(({ name }) => join(folder, name));
    const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', ...files], {
      encoding: 'utf8',
      env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` },
    });
    expect(`${stdout}${stderr}`).toBe('');
    expect(units[0]?.text).toContain('CPUAffinity=0-1,4\n');
    expect(units[0]?.text).toContain('sys-subsystem-net-devices-ens1f0.100.device');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
