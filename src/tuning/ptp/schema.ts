import { z } from 'zod';
import { count, durationNs, onOff } from '../../profile/values.ts';
import { DEFAULT_LAUNCH_LIMIT_NS } from '../../ptp/expectation.ts';
import { PROFILES } from './profiles.ts';

const interfaceName = z
  .string()
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9._@-]{0,14}$/,
    'expected the name of an interface such as ens1f0 or ens1f0.100, or trading',
  );
const address = z.string().regex(/^[0-9A-Fa-f.:]{2,45}$/, 'expected the address of a grandmaster');

const servo = z
  .strictObject({
    kind: z.enum(['pi', 'linreg']).default('pi').describe('pi, or linreg (no constants to choose, follows faster)'),
    firstStep: durationNs()
      .default(20_000)
      .describe('Set at once when it is further off than this at the start; else slewed'),
    step: z
      .union([z.literal('never'), durationNs()], 'expected never, or a time such as 1ms')
      .default('never')
      .describe('Set at once when it is further off than this later; never: always slewed'),
  })
  .describe('How a clock is steered');

const ts2phc = z
  .strictObject({
    source: z.enum(['generic', 'nmea']).describe('generic: pulses alone; nmea: with the time of day from a receiver'),
    interface: interfaceName.describe('The card that the pulses come in on'),
    channel: count({ max: 15 }).default(0).describe('Channel of external time stamps'),
    pin: count({ max: 15 }).default(0).describe('Pin of that channel'),
    polarity: z.enum(['rising', 'falling', 'both']).default('rising').describe('Edge of a pulse that counts'),
    serialPort: z
      .string()
      .regex(/^\/dev\/\S+$/, 'expected a device such as /dev/ttyS0')
      .optional()
      .describe('Where the receiver says the time of day (nmea)'),
  })
  .describe('A GNSS receiver or pulse of this host that steers the PTP clock of a card');

/** The value of a profile's `ptp:` key. */
export const ptpWanted = z
  .strictObject({
    interfaces: z
      .array(interfaceName)
      .min(1)
      .default(['trading'])
      .describe(
        'Ports: names of NICs or VLANs, or trading (the NIC of the layout). Several: the best master of all is followed',
      ),
    profile: z
      .enum(['default', 'g8275.1', 'g8275.2', 'enterprise'], 'expected default, g8275.1, g8275.2 or enterprise')
      .default('default')
      .describe('PTP profile: default (IEEE 1588), g8275.1 and g8275.2 (telecom), enterprise (RFC 9760)'),
    domain: count({ max: 127 }).optional().describe('PTP domain; without it the one that the profile begins with'),
    transport: z
      .enum(['udpv4', 'udpv6', 'l2'])
      .optional()
      .describe('udpv4, udpv6 or l2 (Ethernet); without it as the profile has it'),
    delay: z
      .enum(['e2e', 'p2p'])
      .default('e2e')
      .describe('Path delay: end to end, or from neighbour to neighbour (all switches must)'),
    masters: z
      .array(address)
      .min(1)
      .optional()
      .describe('Grandmasters by address, asked for unicast (g8275.2 needs it)'),
    timestamps: z
      .enum(['hardware', 'software', 'auto'])
      .default('hardware')
      .describe(
        'Where packets are stamped. auto: in hardware where every port can, else in software, some microseconds worse',
      ),
    role: z
      .enum(['slave', 'boundary'])
      .default('slave')
      .describe('slave: only follows; boundary: follows on one port and gives time on the others'),
    twoStep: onOff()
      .default(true)
      .describe('Off: a boundary clock puts the stamp into Sync itself, which the NIC must be able to'),
    minorVersion: count({ max: 1 })
      .optional()
      .describe('0: speaks PTP 2.0, for old switches that drop 2.1 (linuxptp 4.2)'),
    servo: servo.prefault({}),
    timescale: z
      .enum(['ptp', 'arbitrary'])
      .default('ptp')
      .describe('What the grandmaster counts: TAI (ptp), or a time of its own that nothing ties to UTC (arbitrary)'),
    limit: durationNs()
      .refine((ns) => ns > 0, 'expected a time above 0, such as 100us')
      .default(DEFAULT_LAUNCH_LIMIT_NS)
      .describe(
        'The most that the system clock may be from UTC (timescale arbitrary: from the grandmaster), else `hft launch` starts nothing; 100us is what RTS 25 asks',
      ),
    systemClock: z
      .enum(['phc2sys', 'chrony', 'none'])
      .default('phc2sys')
      .describe('Who steers the system clock from the PTP clock: phc2sys, chrony (as a reference clock), or nobody'),
    ts2phc: ts2phc.optional(),
  })
  .superRefine((wanted, context) => {
    for (const { path, message } of findContradictions(wanted))
      context.addIssue({ code: 'custom', path: [path], message });
  })
  .describe('PTP: ptp4l, phc2sys, ts2phc or chrony as services of our own, on housekeeping CPUs');

export type PtpWanted = z.output<typeof ptpWanted>;

interface Contradicting
  extends Pick<
    z.output<typeof ptpWanted>,
    'profile' | 'domain' | 'transport' | 'delay' | 'masters' | 'role' | 'twoStep' | 'ts2phc'
  > {}

function findContradictions(wanted: Contradicting): readonly { readonly path: string; readonly message: string }[] {
  const { profile, domain, transport, delay, masters, role, twoStep, ts2phc: pulse } = wanted;
  const { range, transports } = PROFILES[profile];
  const found: { path: string; message: string }[] = [];
  const add = (path: string, message: string) => found.push({ path, message });
  if (domain !== undefined && (domain < range[0] || domain > range[1]))
    add('domain', `the domains of ${profile} are ${range[0]} to ${range[1]}, got ${domain}`);
  if (transport !== undefined && !(transports as readonly string[]).includes(transport))
    add('transport', `${profile} goes over ${transports.join(' or ')}, got ${transport}`);
  if (profile !== 'default' && delay === 'p2p') add('delay', `${profile} measures end to end (e2e), got p2p`);
  if (profile === 'g8275.2' && masters === undefined)
    add('profile', 'g8275.2 is unicast: name its grandmasters under masters');
  if (masters !== undefined && (profile === 'g8275.1' || profile === 'enterprise' || transport === 'l2'))
    add('masters', `masters are asked for unicast over UDP, which ${transport === 'l2' ? 'l2' : profile} is not`);
  if (!twoStep && role === 'slave')
    add('twoStep', 'only who gives time sends Sync: off means something for role boundary');
  if (pulse?.source === 'nmea' && pulse.serialPort === undefined) add('ts2phc', 'source nmea needs serialPort');
  return found;
}
