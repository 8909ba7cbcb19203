import { describe, expect, test } from 'vitest';
import { readServices } from '../../../src/topology/services.ts';
import { parseUnitTable, readUnitFiles } from '../../../src/topology/unit-files.ts';
import { FakeHost } from '../../fake-host.ts';

const LIST = 'systemctl list-unit-files --no-legend --no-pager --plain';
const ACTIVE = 'systemctl list-units --type=service --state=active,activating,reloading --no-legend --no-pager --plain';
const FILES = [
  'irqbalance.service enabled enabled',
  'ssh.service enabled enabled',
  'thermald.service masked enabled',
  'tuned.service disabled enabled',
].join('\n');

describe('readServices', () => {
  test('asks systemd; what is not installed is left out', async () => {
    const host = new FakeHost(
      {},
      { [LIST]: FILES, [ACTIVE]: 'irqbalance.service loaded active running irqbalance daemon\n' },
    );
    expect(await readServices(host)).toEqual([
      { name: 'irqbalance', active: true, enabled: true },
      { name: 'tuned', active: false, enabled: false },
      { name: 'thermald', active: false, enabled: false },
    ]);
  });

  test('systemd says that none is installed: none, whatever files there are', async () => {
    const host = new FakeHost(
      { '/lib/systemd/system/irqbalance.service': '' },
      { [LIST]: 'ssh.service enabled enabled\n' },
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

test('parseUnitTable: text that is no table has no units', () => {
  expect([...parseUnitTable('')]).toEqual([]);
  expect([...parseUnitTable('rubbish\n\n')]).toEqual([]);
});

describe('readUnitFiles', () => {
  const named = `${LIST} irqbalance.service tuned.service`;
  const units = ['irqbalance.service', 'tuned.service'];

  test('asks for the names alone, which systemd answers at once', async () => {
    const host = new FakeHost({}, { [named]: 'tuned.service disabled enabled\n' });
    expect([...((await readUnitFiles(host, units)) ?? [])]).toEqual([['tuned.service', 'disabled']]);
  });

  test('systemctl ends with 1 and no word when none of them is installed', async () => {
    const host = new FakeHost({}, { [named]: { found: true, exitCode: 1, stdout: '', stderr: '' } });
    expect([...((await readUnitFiles(host, units)) ?? ['undefined'])]).toEqual([]);
  });
});
