import { z } from 'zod';
import type { Role } from '../keys/roles.ts';
import { LIMITS } from './limits.ts';
import { dpdkShape, latencyShape, processesShape, ptpShape, respondShape } from './verify-requests.ts';

/** The one version that this hft speaks. It changes when what is there changes its meaning; more kinds of request do not. */
export const PROTOCOL = 1;

/** Names of domains, runs and settings: they are looked up, and never made a path or a command. */
const name = z.string().min(1).max(300);
const names = z.array(name).max(2_000);

/** Of a deployment or a profile on the host: what is started, and how, is what its administrator wrote there. */
const installed = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,99}$/, 'expected the name of one that is on the host');

const scope = z.strictObject({
  only: names.optional(),
  skip: names.optional(),
  exceptIds: names.optional(),
  onlyIds: names.optional(),
});

/** What a profile asks for, with all that it extends merged in. The agent checks it by its own schemas. */
const profile = z.strictObject({
  name: z.string().regex(/^[^\p{Cc}/]{1,100}$/u, 'expected a name without slashes'),
  keys: z.record(z.string(), z.unknown()),
  /** To be put back after every boot, by the hft of the host. */
  persist: z.boolean(),
});

const rollbackScope = z.union([
  z.enum(['last', 'all']),
  z.strictObject({ to: name }),
  z.strictObject({ items: names }),
  z.strictObject({ run: name }),
]);

const of = <Kind extends string, Shape extends z.ZodRawShape>(kind: Kind, shape: Shape) =>
  z.strictObject({ ask: z.literal(kind), ...shape });

/** Everything that can be asked of an agent. None of it is a command, and none a path. */
export const question = z.discriminatedUnion('ask', [
  of('hello', {}),
  of('status', {}),
  of('inspect', { profile: profile.optional() }),
  of('plan', { profile, scope: scope.optional(), retries: z.boolean() }),
  of('verify', { profile, scope: scope.optional() }),
  of('verify-in-force', { scope }),
  of('recover', {}),
  of('apply', { plan: z.uuid(), confirmWithinS: z.number().int().min(1).max(86_400) }),
  of('adopt', { plan: z.uuid(), confirmWithinS: z.number().int().min(1).max(86_400) }),
  of('answer', { to: z.uuid(), yes: z.boolean() }),
  of('cancel', { to: z.uuid() }),
  of('confirm', {}),
  of('rollback', { scope: rollbackScope }),
  of('launch', {
    deployment: installed,
    profile: installed.optional(),
    only: names.optional(),
    gate: z.enum(['verify', 'none']),
    wait: z.boolean(),
    restart: z.boolean(),
  }),
  of('stop', { names }),
  of('ps', {}),
  of('reboot', {}),
  of('verify-latency', { profile: profile.optional(), ...latencyShape }),
  of('verify-ptp', ptpShape),
  of('verify-processes', processesShape),
  of('verify-dpdk', { profile: profile.optional(), ...dpdkShape }),
  /** Answers the network probe of who asks, at the address by which it asks, until it is taken back. */
  of('respond', respondShape),
  /** Waits again for the request of this id. It is never begun anew. */
  of('attend', {}),
]);

export type Question = z.infer<typeof question>;
export type Ask = Question['ask'];
export type SentProfile = z.infer<typeof profile>;

/** What every version of the protocol has at this place, so that each can tell the other why it does not understand. */
export const envelope = z.object({ hft: z.number().int(), id: z.uuid() });

interface Rules {
  readonly role: Role;
  /** Its answer is kept on disk by its id before it is sent: asked again, it is given again and nothing is done. */
  readonly writes: boolean;
  /** Answered at once, beside what is at work. */
  readonly aside?: boolean;
  /** Nobody waits longer for it, whatever the agent says meanwhile. */
  readonly withinS: number;
  /** It is ended when nobody has waited for it for so long; after a lost connection it is attended again, and not asked again. */
  readonly unattendedS?: number;
}

/** For what only looks, and for what works on the machine: an initramfs alone can take minutes. */
const LOOK_S = 120;
const WORK_S = 3_600;
const attended = (withinS: number) => ({ writes: false, withinS: withinS + LOOK_S, unattendedS: LIMITS.unattendedS });

export const RULES: Readonly<Record<Ask, Rules>> = {
  hello: { role: 'viewer', writes: false, aside: true, withinS: LOOK_S },
  status: { role: 'viewer', writes: false, withinS: LOOK_S },
  inspect: { role: 'viewer', writes: false, withinS: LOOK_S },
  plan: { role: 'viewer', writes: false, withinS: LOOK_S },
  verify: { role: 'viewer', writes: false, withinS: LOOK_S },
  'verify-in-force': { role: 'viewer', writes: false, withinS: LOOK_S },
  recover: { role: 'operator', writes: true, withinS: WORK_S },
  apply: { role: 'operator', writes: true, withinS: WORK_S },
  adopt: { role: 'operator', writes: true, withinS: WORK_S },
  answer: { role: 'operator', writes: false, aside: true, withinS: LOOK_S },
  // Of one's own requests alone, whatever they are.
  cancel: { role: 'viewer', writes: false, aside: true, withinS: LOOK_S },
  confirm: { role: 'operator', writes: true, withinS: WORK_S },
  rollback: { role: 'operator', writes: true, withinS: WORK_S },
  launch: { role: 'operator', writes: true, withinS: WORK_S },
  stop: { role: 'operator', writes: true, withinS: WORK_S },
  ps: { role: 'viewer', writes: false, withinS: LOOK_S },
  reboot: { role: 'admin', writes: true, withinS: LOOK_S },
  // It takes CPUs for itself, and so does DPDK.
  'verify-latency': { role: 'operator', ...attended(LIMITS.measuringS) },
  'verify-ptp': { role: 'viewer', ...attended(LIMITS.watchingS) },
  'verify-processes': { role: 'viewer', ...attended(LIMITS.watchingS) },
  'verify-dpdk': { role: 'operator', ...attended(LIMITS.trafficS * 4) },
  // It opens a port: it goes with the connection.
  respond: { role: 'operator', ...attended(LIMITS.measuringS), unattendedS: 0 },
  attend: { role: 'viewer', writes: false, aside: true, withinS: LOOK_S },
};
