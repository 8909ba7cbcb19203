import { canonicalArgument, parseCommandLine } from '../../tunables/boot/arguments.ts';
import { type BootFacts, readBootFacts } from '../../tunables/boot/facts.ts';
import { judgeBootArguments } from '../../tunables/boot/refusal.ts';
import { readTrialRefusal } from '../../tunables/boot/trial-refusal.ts';
import { type Desired, defineDomain, type Refusal, type Setting } from '../domain.ts';
import { nameOf } from './argument-name.ts';
import type { Boot } from './schema.ts';

/** Arguments that another part of the profile computes for each machine. */
const COMPUTED: Readonly<Record<string, string>> = {
  isolcpus: 'isolation: {method: boot}',
  nohz_full: 'isolation: {nohzFull: on}',
  rcu_nocbs: 'isolation: {rcuNocbs: on}',
  rcu_nocb_poll: 'isolation: {rcuNocbPoll: on}',
  irqaffinity: 'isolation: {irqAffinity: on}',
  hugepages: 'memory: {hugepages: …}',
  hugepagesz: 'memory: {hugepages: …}',
  default_hugepagesz: 'memory: {hugepages: …}',
};

/** Arguments that read well and do nothing on a mainline kernel. */
const UNKNOWN_TO_KERNEL: Readonly<Record<string, string>> = {
  kthread_cpus: 'is a patch of some vendors; isolcpus and the kernel domain keep kernel threads off isolated CPUs',
  nohz: 'is on in every kernel with CONFIG_NO_HZ_COMMON unless nohz=off is given',
};

/** Arguments that decide whether the machine finds its disk and its console. */
const VITAL = new Set([
  'root',
  'init',
  'rdinit',
  'ro',
  'rw',
  'initrd',
  'rootfstype',
  'rootflags',
  'resume',
  'console',
  'BOOT_IMAGE',
]);

interface Facts {
  readonly boot: BootFacts;
  /** Why this machine cannot boot an entry once and fall back by itself; undefined when it can. */
  readonly trialRefusal: string | undefined;
}

/** Kernel arguments that a profile asks for by name. */
export const bootDomain = defineDomain<Boot, Facts>({
  name: 'boot',
  schema: async () => (await import('./schema.ts')).boot,
  observe: async (host) => ({ boot: await readBootFacts(host), trialRefusal: await readTrialRefusal(host) }),
  desire(wanted, { boot, trialRefusal }): Desired {
    const refuse = judgeBootArguments(boot);
    const settings: Setting[] = [];
    const refused: Refusal[] = [];
    for (const text of wanted.arguments) {
      const name = nameOf(text);
      const id = `boot.argument@${name}`;
      const value = parseCommandLine(text).map(canonicalArgument).join(' ');
      const refusal = refuseByName(name) ?? refuse([name], value);
      if (refusal) refused.push({ id, ...refusal });
      else settings.push(argumentSetting(id, name, value));
    }
    if (wanted.trial && trialRefusal !== undefined)
      refused.push({ id: 'boot.trial', kind: 'unsupported', reason: `No trial boot: ${trialRefusal}.` });
    return { settings, refused };
  },
});

function refuseByName(name: string): Omit<Refusal, 'id'> | undefined {
  const computed = COMPUTED[name];
  if (computed) return { kind: 'refused', reason: `${name}= is computed for each machine. Ask for it by ${computed}.` };
  const unknown = UNKNOWN_TO_KERNEL[name];
  if (unknown) return { kind: 'unsupported', reason: `${name}= ${unknown}.` };
  if (VITAL.has(name))
    return { kind: 'refused', reason: `${name}= decides whether this machine boots at all. Set it by hand.` };
  return undefined;
}

function argumentSetting(id: string, name: string, value: string): Setting {
  return {
    id,
    stage: 'values',
    tunable: { kind: 'boot-arg', names: [name] },
    value,
    why: 'The profile asks for this kernel argument.',
    ifRefused: 'fail',
    disruption: 'reboot',
  };
}
