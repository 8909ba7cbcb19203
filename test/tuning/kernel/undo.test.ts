import { describe, expect, test } from 'vitest';
import { layoutWanted } from '../../../src/layout/schema.ts';
import { solveLayout } from '../../../src/layout/solve.ts';
import { kindOf } from '../../../src/tunables/kinds.ts';
import { domains } from '../../../src/tuning/index.ts';
import { FakeHost } from '../../fake-host.ts';
import { buildMachine } from '../../machine-builder.ts';

/** proc_watchdog_common of Linux 6.1: a read stores what it shows in the switch that a write compares with. */
class Watchdogs extends FakeHost {
  private readonly asked = { watchdog: 1, soft_watchdog: 1, nmi_watchdog: 0 };

  override async readText(path: string): Promise<string | undefined> {
    const file = path.replace('/proc/sys/kernel/', '') as keyof typeof this.asked;
    if (!(file in this.asked)) return super.readText(path);
    const isSoftOn = this.asked.watchdog === 1 && this.asked.soft_watchdog === 1;
    const shown = file !== 'nmi_watchdog' && isSoftOn ? 1 : 0;
    this.asked[file] = shown;
    return `${shown}\n`;
  }

  override async writeText(path: string, text: string): Promise<void> {
    this.log.push(`${path} <- ${text}`);
    this.asked[path.replace('/proc/sys/kernel/', '') as keyof typeof this.asked] = Number(text);
  }
}

describe('the soft-lockup watchdog', () => {
  test('comes back although `sysctl -a` read kernel.watchdog in between', async () => {
    const host = new Watchdogs({ '/proc/sys/kernel/watchdog': '1', '/proc/sys/kernel/soft_watchdog': '1' });
    const kernel = domains.find((domain) => domain.name === 'kernel') as (typeof domains)[number];
    const facts = buildMachine();
    const machine = { ...facts, layout: solveLayout(layoutWanted.parse({}), facts) };
    const wanted = (await kernel.schema()).parse({ watchdogs: { soft: 'off' } });
    const [setting] = kernel.desire(wanted, await kernel.observe(host, facts), machine).settings;
    const { tunable } = setting as NonNullable<typeof setting>;
    const kind = kindOf(tunable);

    await kind.write(host, [{ tunable, value: '0' }]);
    expect(await kind.read(host, tunable)).toMatchObject({ value: '0' });
    await host.readText('/proc/sys/kernel/watchdog');
    await kind.write(host, [{ tunable, value: '1' }]);

    expect(await kind.read(host, tunable)).toMatchObject({ value: '1' });
    expect(await host.readText('/proc/sys/kernel/watchdog')).toBe('1\n');
  });
});
