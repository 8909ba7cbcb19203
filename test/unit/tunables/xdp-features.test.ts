import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { LocalHost } from '../../../src/host/local.ts';
import { parseXdpFeatures, readXdpFeatures, sayMode, takesXdp } from '../../../src/tuning/nic/xdp-features.ts';
import { buildWhenStale, ROOT } from '../../cli/run-hft.ts';
import { FakeHost } from '../../fake-host.ts';

const PROBE = join(ROOT, 'dist/hft-probe');
beforeAll(() => buildWhenStale());

describe('what a driver can do with XDP', () => {
  test('lines of hft-probe', () => {
    expect(parseXdpFeatures('eth1 xdp-features basic redirect xsk-zerocopy\n', 'eth1')).toEqual([
      'basic',
      'redirect',
      'xsk-zerocopy',
    ]);
    expect(parseXdpFeatures('eth1 xdp-features\n', 'eth1')).toEqual([]);
    for (const text of [
      '',
      '\n',
      'eth1 xdp-features basic',
      'eth2 xdp-features basic\n',
      'eth1 xdp-features  basic\n',
      'eth1\n',
    ])
      expect(parseXdpFeatures(text, 'eth1')).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseXdpFeatures(text, 'eth1')).toBeUndefined();
      }),
    );
    expect(takesXdp(['redirect'])).toBe(false);
  });

  test('a kernel before 6.3 does not tell, and neither does a capture without the answer', async () => {
    expect(await readXdpFeatures(new FakeHost(), 'eth1')).toEqual({ known: false, reason: 'hft-probe was not asked' });
    const stderr = '{"unsupported":"this kernel does not tell","need":"Linux 6.3"}\n';
    const old = { found: true, exitCode: 3, stdout: '', stderr } as const;
    const xdp = await readXdpFeatures(new FakeHost({}, { 'hft-probe xdp-features eth1': old }), 'eth1');
    expect(xdp).toEqual({ known: false, reason: 'this kernel does not tell; Linux 6.3 does' });
    expect(sayMode(xdp)).toContain('not known');
  });

  test('the kernel of this machine answers for its loopback: no XDP of a driver', async () => {
    const xdp = await readXdpFeatures(new LocalHost({ probe: PROBE }), 'lo');
    // Linux 6.3 told it first.
    if (xdp.known) expect(xdp.features).toEqual([]);
    else expect(xdp.reason).toContain('this kernel does not tell');
    const wrong = await readXdpFeatures(new LocalHost({ probe: PROBE }), 'hft-none');
    expect(wrong.known).toBe(false);
  });

  test('a veth takes XDP and copies, in a network namespace of its own', async () => {
    const { known } = await readXdpFeatures(new LocalHost({ probe: PROBE }), 'lo');
    const script = `ip link add v0 type veth peer name v1 && { ${PROBE} xdp-features v0 || true; }`;
    const said = execFileSync('unshare', ['-rn', 'sh', '-c', script], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const features = parseXdpFeatures(said, 'v0');
    expect(features !== undefined).toBe(known);
    if (features === undefined) return;
    expect(takesXdp(features)).toBe(true);
    expect(features).not.toContain('xsk-zerocopy');
  });
});
