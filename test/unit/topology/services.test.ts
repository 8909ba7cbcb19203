import { describe, expect, test } from 'vitest';
import { parseUnits, readServices } from '../../../src/topology/services.ts';
import { FakeHost } from '../../fake-host.ts';

const SHOWN = [
  'Id=irqbalance.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled',
  'Id=tuned.service\nLoadState=loaded\nActiveState=inactive\nUnitFileState=disabled',
  'Id=thermald.service\nLoadState=masked\nActiveState=inactive\nUnitFileState=masked',
  'Id=numad.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=',
].join('\n\n');

describe('readServices', () => {
  test('asks systemd; what is not installed is left out', async () => {
    const host = new FakeHost({}, { systemctl: `${SHOWN}\n` });
    expect(await readServices(host)).toEqual([
      { name: 'irqbalance', active: true, enabled: true },
      { name: 'tuned', active: false, enabled: false },
      { name: 'thermald', active: false, enabled: false },
    ]);
  });

  test('systemd says that none is installed: none, whatever files there are', async () => {
    const host = new FakeHost(
      { '/lib/systemd/system/irqbalance.service': '' },
      { systemctl: 'Id=irqbalance.service\nLoadState=not-found\nActiveState=inactive\n' },
    );
    expect(await readServices(host)).toEqual([]);
  });

  test.each([
    ['without systemctl', undefined],
    [
      'in a container',
      { found: true, exitCode: 1, stdout: '', stderr: 'System has not been booted with systemd' } as const,
    ],
  ])('%s: unit files, links of targets and cgroups', async (_, answer) => {
    const host = new FakeHost(
      {
        '/lib/systemd/system/irqbalance.service': '',
        '/usr/lib/systemd/system/tuned.service': '',
        '/etc/systemd/system/multi-user.target.wants/irqbalance.service': '',
        '/sys/fs/cgroup/system.slice/tuned.service/cgroup.procs': '1',
      },
      answer ? { systemctl: answer } : {},
    );
    expect(await readServices(host)).toEqual([
      { name: 'irqbalance', active: false, enabled: true },
      { name: 'tuned', active: true, enabled: false },
    ]);
  });

  test('a dump without any of it has none', async () => {
    expect(await readServices(new FakeHost())).toEqual([]);
  });
});

test('parseUnits: text that is no block is no unit', () => {
  expect(parseUnits('')).toEqual([]);
  expect(parseUnits('rubbish\n\n=\n')).toEqual([]);
});
