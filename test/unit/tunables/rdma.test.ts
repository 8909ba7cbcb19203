import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dcbPfcKind, parsePfc } from '../../../src/tunables/dcb-pfc.ts';
import { parseActiveMtu } from '../../../src/tunables/rdma/active-mtu.ts';
import { rdmaKind } from '../../../src/tunables/rdma.ts';
import { parseLinks } from '../../../src/tuning/rdma/facts.ts';
import { FakeHost } from '../../fake-host.ts';

const PFC =
  '{"pfc_cap":8,"macsec_bypass":false,"delay":0,"prio_pfc":[false,false,false,true,false,false,false,false]}\n';

const DEVINFO = `hca_id:	rxe0
	transport:			InfiniBand (0)
	fw_ver:				0.0.0
	phys_port_cnt:			1
		port:	1
			state:			PORT_ACTIVE (4)
			max_mtu:		4096 (5)
			active_mtu:		1024 (3)
			sm_lid:			0
			link_layer:		Ethernet

`;

const LINKS =
  '[{"ifindex":0,"ifname":"rxe0","port":1,"state":"ACTIVE","physical_state":"LINK_UP","netdev":"enp1s0","netdev_index":5}]';

describe('what the tools print', () => {
  test('as they print it', () => {
    expect(parsePfc(PFC)).toEqual([false, false, false, true, false, false, false, false]);
    expect(parsePfc(`[${PFC}]`)?.[3]).toBe(true);
    expect(parseActiveMtu(DEVINFO, 'rxe0', 1)).toBe(1024);
    expect(parseLinks(LINKS)).toEqual([{ device: 'rxe0', port: 1, state: 'ACTIVE', interface: 'enp1s0' }]);
    expect(parseLinks('[]')).toEqual([]);
  });

  test.each([
    '',
    '{}',
    '[]',
    '[null]',
    '{"prio_pfc":null}',
    '{"prio_pfc":[true]}',
    PFC.replace('true', '1'),
    PFC.replace('true', '"on"'),
    `${PFC}${PFC}`,
  ])('PFC is not %j', (text) => expect(parsePfc(text)).toBeUndefined());

  test.each([
    DEVINFO.replace('1024 (3)', '1024 (5)'),
    DEVINFO.replace('1024 (3)', '4096'),
    DEVINFO.replace('port:	1', 'port:	2'),
    DEVINFO.replace('rxe0', 'rxe1'),
    'No IB devices found\n',
  ])('no MTU %#', (text) => expect(parseActiveMtu(text, 'rxe0', 1)).toBeUndefined());

  test.each(['', 'null', '{}', '[1]', '[{"ifname":"rxe0"}]', LINKS.replace('"port":1', '"port":"1"')])(
    'no links: %j',
    (text) => {
      expect(parseLinks(text)).toBeUndefined();
    },
  );

  test('cut anywhere they are nothing, or what the whole says', () => {
    for (let end = 0; end < PFC.length - 1; end++) expect(parsePfc(PFC.slice(0, end))).toBeUndefined();
    for (let end = 0; end < DEVINFO.length; end++)
      expect([undefined, 1024]).toContain(parseActiveMtu(DEVINFO.slice(0, end), 'rxe0', 1));
    for (let end = 0; end < LINKS.length; end++) expect(parseLinks(LINKS.slice(0, end))).toBeUndefined();
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parsePfc(text)).toBeUndefined();
        expect(parseActiveMtu(text, 'rxe0', 1)).toBeUndefined();
      }),
    );
  });
});

describe('PFC', () => {
  test('all priorities are one command, and are read back', async () => {
    let map = [false, false, false, false, false, false, false, false];
    const host = new FakeHost(
      {},
      {
        'dcb -j pfc show dev eth1': () => JSON.stringify({ pfc_cap: 8, prio_pfc: map }),
        'dcb pfc set dev eth1 prio-pfc 3:on 4:off': () => {
          map = map.map((isOn, index) => index === 3 || (isOn && index !== 4));
          return '';
        },
      },
    );
    const tunable = (priority: number) => ({ kind: 'dcb-pfc', device: 'eth1', priority }) as const;
    await dcbPfcKind.write(host, [
      { tunable: tunable(3), value: 'on' },
      { tunable: tunable(4), value: 'off' },
    ]);
    expect(await dcbPfcKind.read(host, tunable(3))).toMatchObject({
      value: 'on',
      evidence: 'dcb pfc show dev eth1: on for 3',
    });
    expect(await dcbPfcKind.read(host, tunable(4))).toMatchObject({ value: 'off' });
  });

  test.each([
    [
      'a NIC without DCB',
      { found: true, exitCode: 1, stdout: '', stderr: 'Attribute read: Operation not supported\n' },
      'missing',
    ],
    ['no iproute2', { found: false }, 'unreadable'],
    ['success without an answer', { found: true, exitCode: 0, stdout: '', stderr: '' }, 'unreadable'],
  ] as const)('%s', async (_what, answer, status) => {
    const host = new FakeHost({}, { 'dcb -j pfc show dev eth1': answer });
    expect(await dcbPfcKind.read(host, { kind: 'dcb-pfc', device: 'eth1', priority: 3 })).toMatchObject({ status });
  });
});

const FOLDER = '/sys/kernel/config/rdma_cm/rxe0';
const TOS = { kind: 'rdma', device: 'rxe0', port: 1, attribute: 'cma-tos' } as const;
const MODE = { ...TOS, attribute: 'cma-mode' } as const;

/** configfs of rdma_cm: the folder brings its files, and takes them with it; the values stay with the device. */
class CmaHost extends FakeHost {
  readonly #kept = { default_roce_mode: 'RoCE v2\n', default_roce_tos: '0\n' };

  override async makeFolder(path: string): Promise<void> {
    await super.makeFolder(path);
    for (const [name, text] of Object.entries(this.#kept))
      if (!this.files.has(`${path}/ports/1/${name}`)) this.files.set(`${path}/ports/1/${name}`, text);
  }

  override async removeFolder(path: string): Promise<void> {
    await super.removeFolder(path);
    for (const name of Object.keys(this.#kept)) this.files.delete(`${path}/ports/1/${name}`);
  }
}

function makeCma(): CmaHost {
  const host = new CmaHost({
    '/sys/class/infiniband/rxe0/ports/1/gid_attrs/types/0': 'IB/RoCE v1\n',
    '/sys/class/infiniband/rxe0/ports/1/gid_attrs/types/1': 'RoCE v2\n',
  });
  host.folders.add('/sys/kernel/config/rdma_cm');
  host.unreadable.set('/sys/class/infiniband/rxe0/ports/1/gid_attrs/types/2', 'EINVAL');
  host.files.set('/sys/class/infiniband/rxe0/ports/1/gid_attrs/types/2', '');
  return host;
}

describe('what connections of rdma_cm begin with', () => {
  test('set, read back, and taken back with the folder when the last of it is as it was', async () => {
    const host = makeCma();
    const values = async () => {
      const [tos, mode] = [await rdmaKind.read(host, TOS), await rdmaKind.read(host, MODE)];
      return [tos, mode].map((reading) => (reading.status === 'value' ? reading.value : reading.status));
    };
    expect(await values()).toEqual(['0', 'RoCE v2']);
    await rdmaKind.write(host, [
      { tunable: TOS, value: '106' },
      { tunable: MODE, value: 'IB/RoCE v1' },
    ]);
    expect(await values()).toEqual(['106', 'IB/RoCE v1']);
    await rdmaKind.write(host, [{ tunable: MODE, value: 'RoCE v2' }]);
    expect(await values()).toEqual(['106', 'RoCE v2']);
    expect(await host.list(FOLDER)).toBeDefined();
    await rdmaKind.write(host, [{ tunable: TOS, value: '0' }]);
    expect(await values()).toEqual(['0', 'RoCE v2']);
    expect(await host.list(FOLDER)).toBeUndefined();
  });

  test('without the module it is missing, with a text of its own unreadable', async () => {
    const host = makeCma();
    host.folders.delete('/sys/kernel/config/rdma_cm');
    expect(await rdmaKind.read(host, TOS)).toMatchObject({
      status: 'missing',
      evidence: expect.stringContaining('modprobe rdma_cm'),
    });
    host.files.set(`${FOLDER}/ports/1/default_roce_tos`, 'many\n');
    expect(await rdmaKind.read(host, TOS)).toMatchObject({ status: 'unreadable' });
    expect(await rdmaKind.read(host, { ...TOS, device: 'rxe9' })).toMatchObject({ status: 'missing' });
  });

  test('a traffic class that nothing forces is -1', async () => {
    const path = '/sys/class/infiniband/rxe0/tc/1/traffic_class';
    const read = async (text: string) => {
      const reading = await rdmaKind.read(new FakeHost({ [path]: text }), { ...TOS, attribute: 'traffic-class' });
      return reading.status === 'value' ? reading.value : reading.status;
    };
    expect(await read('Global tclass=106\n')).toBe('106');
    expect(await read('\n')).toBe('-1');
    expect(await read('what?\n')).toBe('unreadable');
  });
});
