import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { layoutWanted } from '../../../src/layout/schema.ts';
import { solveLayout } from '../../../src/layout/solve.ts';
import { domains } from '../../../src/tuning/index.ts';
import { FakeHost } from '../../fake-host.ts';
import { buildMachine } from '../../machine-builder.ts';

const kernel = domains.find((domain) => domain.name === 'kernel') as (typeof domains)[number];
const services = domains.find((domain) => domain.name === 'services') as (typeof domains)[number];

async function problemOf(
  domain: typeof kernel,
  wanted: unknown,
): Promise<{ path: string; message: string } | undefined> {
  const issue = (await domain.schema()).safeParse(wanted).error?.issues[0];
  return issue && { path: issue.path.join('/'), message: issue.message };
}

async function desire(wanted: unknown, files: Record<string, string>) {
  const facts = buildMachine();
  const machine = { ...facts, layout: solveLayout(layoutWanted.parse({ isolated: { cores: 'most' } }), facts) };
  return kernel.desire(
    (await kernel.schema()).parse(wanted),
    await kernel.observe(new FakeHost(files), facts),
    machine,
  );
}

describe('a name that is wrong on every host is an error of the profile, at its key', () => {
  test.each([
    [{ sysctl: { 'vm.swappiness': 0 } }, 'sysctl/vm.swappiness', 'write memory.swappiness'],
    [{ sysctl: { 'net.core.rmem_max': 1 } }, 'sysctl/net.core.rmem_max', 'write network.rmem_max'],
    [{ sysctl: { 'kernel.watchdog': 0 } }, 'sysctl/kernel.watchdog', 'write kernel.watchdogs'],
    [{ sysctl: { 'vm.drop_caches': 3 } }, 'sysctl/vm.drop_caches', 'not a setting'],
    [{ sysctl: { 'kernel.panic_on_oops': 'yes' } }, 'sysctl/kernel.panic_on_oops', 'takes a whole number'],
    [{ sysctl: { '/etc/passwd': 1 } }, 'sysctl//etc/passwd', 'the name of a sysctl'],
    [{ sysctl: { 'kernel...etc': 1 } }, 'sysctl/kernel...etc', 'the name of a sysctl'],
    [{ boot: { skew_tik: 1 } }, 'boot/skew_tik', 'did you mean skew_tick'],
    [{ boot: { isolcpus: '2-7' } }, 'boot/isolcpus', 'composed from isolation'],
    [{ boot: { tsc: 'reliable quiet' } }, 'boot/tsc', 'without spaces'],
  ])('%j', async (wanted, path, message) => {
    expect(await problemOf(kernel, wanted)).toMatchObject({ path, message: expect.stringContaining(message) });
  });

  test.each([
    [{ irqbalace: 'stopped' }, 'did you mean irqbalance?'],
    [{ mydaemon: 'stopped' }, 'write its full name, mydaemon.service'],
    [{ '../x.service': 'stopped' }, 'expected the name of a unit'],
  ])('%j', async (wanted, message) => {
    expect((await problemOf(services, wanted))?.message).toContain(message);
  });

  test('a unit with its full name need not be known', async () => {
    expect(await problemOf(services, { 'mydaemon.service': 'stopped' })).toBeUndefined();
  });
});

describe('a sysctl that is in no list', () => {
  test('is a mistake when the host does not have it either, with the nearest name', async () => {
    const wanted = { sysctl: { 'kernel.panic_on_ops': 1 } };
    const error = await desire(wanted, { '/proc/sys/kernel/panic_on_oops': '0' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toContain('/proc/sys/kernel/panic_on_ops');
    expect((error as UsageError).next).toEqual(['Did you mean kernel.panic_on_oops?']);
    expect((error as UsageError).exitCode).toBe(2);
  });

  test('is taken when the host has it', async () => {
    const desired = await desire({ sysctl: { 'kernel.brand_new': 7 } }, { '/proc/sys/kernel/brand_new': '0' });
    expect(desired.settings).toMatchObject([
      { id: 'kernel.sysctl@kernel.brand_new', value: '7', tunable: { format: 'integer' } },
    ]);
  });

  test('is left to the reading of the file in a folder that was not looked into', async () => {
    const desired = await desire(
      { sysctl: { 'net.netfilter.nf_conntrack_max': 7 } },
      { '/proc/sys/kernel/panic': '0' },
    );
    expect(desired.settings).toMatchObject([{ tunable: { path: '/proc/sys/net/netfilter/nf_conntrack_max' } }]);
  });
});
