import { describe, expect, test } from 'vitest';
import { findTargets, lookAtPtp } from '../../../src/ptp/look.ts';
import { FakeHost } from '../../fake-host.ts';
import { answersOf } from './captures.ts';

const SOCKET = '/run/ptp4l';
const ANSWERS = answersOf('pmc-4.4.txt', 'sl.uds').replaceAll('rdsl0', 'ens1f0');
/** As the read-only socket of 4.x answers: nothing of how a port stamps, nor what it counts. */
const READ_ONLY = ANSWERS.replaceAll(
  /\t\S+-1 seq \d+ RESPONSE MANAGEMENT PORT_(?:STATS|PROPERTIES)_NP \n(?:\t\t.*\n)+/g,
  '',
);
const CARD = 'Time stamping parameters for ens1f0:\nCapabilities:\n\thardware-transmit\nPTP Hardware Clock: 4\n';

function hostOf(answers: string, configuration: string | undefined): FakeHost {
  const host = new FakeHost({}, { pmc: answers, 'ethtool -T ens1f0': CARD });
  host.commands.set(
    '/probe read-clocks /dev/ptp4',
    '{"clock":"/dev/ptp4","method":"precise","offsetNs":9,"delayNs":0}\n',
  );
  host.commands.set('/probe', '');
  host.files.set('/proc/7/comm', 'ptp4l\n');
  host.files.set('/proc/7/cmdline', 'ptp4l\0-f\0/etc/p.conf\0');
  if (configuration !== undefined) host.files.set('/etc/p.conf', configuration);
  return host;
}

const readingOf = async (answers: string, configuration: string | undefined) => {
  const targets = [{ socket: SOCKET, domain: 24 }];
  const request = { atMs: 0, nowS: 1_790_000_000, targets, probe: '/probe', clientSocket: undefined };
  const { clocks } = await lookAtPtp(hostOf(answers, configuration), request);
  expect(clocks[0]?.clock).not.toHaveProperty('problem');
  return clocks[0]?.reading;
};

const configured = (stamping: string) =>
  `[global]\nuds_address ${SOCKET}\ndomainNumber 24\ntime_stamping ${stamping}\n[ens1f0]\n`;

describe('which PTP clock is compared with the system clock', () => {
  test('the one of the interface, by its number now', async () => {
    expect(await readingOf(ANSWERS.replace('SOFTWARE', 'HARDWARE'), undefined)).toMatchObject({
      clock: '/dev/ptp4',
      offsetNs: 9,
    });
  });

  test('none where ptp4l stamps in software', async () => {
    expect(await readingOf(ANSWERS, undefined)).toBeUndefined();
    expect(await readingOf(READ_ONLY, configured('software'))).toBeUndefined();
  });

  test('a socket that does not say: as the configuration says', async () => {
    expect(await readingOf(READ_ONLY, configured('hardware'))).toMatchObject({ clock: '/dev/ptp4', offsetNs: 9 });
  });

  test('not known at all is an error, and no 0', async () => {
    expect(await readingOf(READ_ONLY, undefined)).toEqual({ clock: 'its PTP clock', error: 'not known which it is' });
  });

  test('without hft-probe the clock is not read', async () => {
    const host = hostOf(ANSWERS.replace('SOFTWARE', 'HARDWARE'), undefined);
    host.commands.delete('/probe read-clocks /dev/ptp4');
    host.commands.delete('/probe');
    const { clocks, system } = await lookAtPtp(host, {
      atMs: 0,
      nowS: 1_790_000_000,
      targets: [{ socket: SOCKET, domain: 24 }],
      probe: '/probe',
      clientSocket: undefined,
    });
    expect(clocks[0]?.reading).toHaveProperty('error');
    expect(system).toBeUndefined();
  });
});

test('every ptp4l that runs is a target, by its own socket and domain', async () => {
  expect(await findTargets(hostOf(ANSWERS, configured('software')))).toEqual([{ socket: SOCKET, domain: 24 }]);
  expect(await findTargets(new FakeHost())).toEqual([]);
});

test('an answer that comes at the third time counts', async () => {
  const host = hostOf(ANSWERS, undefined);
  let asked = 0;
  host.commands.set('pmc', () => (++asked < 3 ? 'sending: GET TIME_STATUS_NP\n' : ANSWERS));
  const { clocks } = await lookAtPtp(host, {
    atMs: 0,
    nowS: 1_790_000_000,
    targets: [{ socket: SOCKET, domain: 24 }],
    probe: '/probe',
    clientSocket: undefined,
  });
  expect(clocks[0]?.clock).toMatchObject({ domain: 24 });
});
