import type { HostReader } from '../../host/host.ts';
import { type Desired, defineDomain, type Refusal, type Setting } from '../domain.ts';
import { NOT_CAPTURED, observeWhole } from '../knobs/directories.ts';
import { findOverrides, type LimitsFile, listAccounts, type Overriding, readLimitsFile } from './overrides.ts';
import { renderPamLimits, renderSystemdDefaults, type Subject } from './render.ts';
import type { Limits, LimitsWanted } from './schema.ts';
import { findSystemdOverrides, readLaterDropIns } from './systemd-overrides.ts';

const PAM_FOLDER = '/etc/security/limits.d';
const PAM_FILE = `${PAM_FOLDER}/90-hft.conf`;
/** Not the file of the isolation domain, which is in the same folder. */
const SYSTEMD_FILE = '/etc/systemd/system.conf.d/90-hft-limits.conf';
const PAM_MAIN = '/etc/security/limits.conf';

/** FIFO 99 is where the kernel's own migration and watchdog threads run. */
const HIGHEST_PRIORITY = 98;

export interface LimitsFacts {
  /** undefined: names come from a directory service (sssd, LDAP) too, so a name that is not in the file may exist. */
  readonly users: readonly string[] | undefined;
  readonly groups: readonly string[] | undefined;
  /** false: a capture that does not hold everything. */
  readonly isWhole: boolean;
  readonly hasPamLimits: boolean;
  readonly hasSystemd: boolean;
  /** What else pam_limits reads, and for whom it can count. */
  readonly others: Overriding;
  /** What systemd reads after hft's defaults of services. */
  readonly laterDropIns: readonly LimitsFile[];
  /** fs.nr_open: the most that any limit of open files may be. */
  readonly nrOpen: number | undefined;
}

/** limits.conf(5), systemd-system.conf(5) */
export const limitsDomain = defineDomain<LimitsWanted, LimitsFacts>({
  name: 'limits',
  schema: async () => (await import('./schema.ts')).limitsWanted,
  observe: observeLimits,
  desire(wanted, facts) {
    if (!facts.isWhole) {
      return { settings: [], refused: [{ id: 'limits.pam@machine', kind: 'unknown', reason: NOT_CAPTURED }] };
    }
    const refused: Refusal[] = [];
    const subjects = [
      ...subjectsOf(wanted.groups, { kind: 'group', known: facts.groups, refused }),
      ...subjectsOf(wanted.users, { kind: 'user', known: facts.users, refused }),
    ].map(({ spelled, limits }) => ({ spelled, limits: allow(spelled, limits, { facts, refused }) }));
    const settings = [
      ...desirePamFile(subjects, facts, refused),
      ...(wanted.services === undefined
        ? []
        : desireSystemdFile(allow('services', wanted.services, { facts, refused }), facts, refused)),
    ];
    return { settings, refused } satisfies Desired;
  },
});

async function observeLimits(host: HostReader): Promise<LimitsFacts> {
  const [isWhole, passwd, group, nsswitch, folder, systemd, nrOpen, laterDropIns] = await Promise.all([
    observeWhole(host),
    host.readText('/etc/passwd'),
    host.readText('/etc/group'),
    host.readText('/etc/nsswitch.conf'),
    host.list(PAM_FOLDER),
    host.list('/etc/systemd'),
    host.readText('/proc/sys/fs/nr_open'),
    readLaterDropIns(host, SYSTEMD_FILE),
  ]);
  const [hasAllUsers, hasAllGroups] = ['passwd', 'group'].map((database) => isFilesOnly(database, nsswitch));
  return {
    isWhole,
    users: hasAllUsers ? namesOf(passwd) : undefined,
    groups: hasAllGroups ? namesOf(group) : undefined,
    others: {
      files: await readOthers(host, folder ?? []),
      accounts: hasAllUsers && hasAllGroups ? listAccounts(passwd ?? '', group ?? '') : [],
    },
    laterDropIns,
    hasPamLimits: folder !== undefined,
    hasSystemd: systemd !== undefined,
    nrOpen: nrOpen === undefined ? undefined : Number(nrOpen),
  };
}

async function readOthers(host: HostReader, names: readonly string[]): Promise<readonly LimitsFile[]> {
  const main = await readLimitsFile(host, PAM_MAIN);
  const paths = names.filter((name) => name.endsWith('.conf')).map((name) => `${PAM_FOLDER}/${name}`);
  const dropIns = paths
    .filter((path) => path !== PAM_FILE)
    .map(async (path) => ({ path, text: await readLimitsFile(host, path) }));
  return [...(main === undefined ? [] : [{ path: PAM_MAIN, text: main }]), ...(await Promise.all(dropIns))];
}

/** nsswitch.conf(5): whether only local files (and systemd's made-up users) name this database. */
function isFilesOnly(database: string, nsswitch: string | undefined): boolean {
  const line = new RegExp(`^${database}:(.*)$`, 'm').exec(nsswitch ?? '')?.[1] ?? 'files';
  const sources = line
    .replace(/#.*/, '')
    .replace(/\[[^\]]*\]/g, ' ')
    .trim()
    .split(/\s+/);
  return sources.every((source) => source === 'files' || source === 'compat' || source === 'systemd');
}

/** The first field of each line of /etc/passwd or /etc/group. */
function namesOf(text: string | undefined): readonly string[] {
  return (text ?? '').split('\n').flatMap((line) => line.split(':')[0] || []);
}

interface Naming {
  readonly kind: 'user' | 'group';
  readonly known: readonly string[] | undefined;
  readonly refused: Refusal[];
}

/** pam_limits passes over a name that nobody has; it would look tuned and not be. */
function subjectsOf(
  wanted: Readonly<Record<string, Limits>> | undefined,
  { kind, known, refused }: Naming,
): readonly Subject[] {
  return Object.entries(wanted ?? {}).flatMap(([name, limits]) => {
    const spelled = kind === 'group' ? `@${name}` : name;
    if (known === undefined || known.includes(name)) return [{ spelled, limits }];
    const command = kind === 'group' ? 'groupadd' : 'useradd';
    const reason = `There is no ${kind} ${name} in /etc/${kind === 'group' ? 'group' : 'passwd'}; make it first: ${command} --system ${name}.`;
    refused.push({ id: `limits.pam@${spelled}`, kind: 'unsupported', reason });
    return [];
  });
}

/** Takes out of the limits what would do harm, with the reason. */
function allow(
  subject: string,
  limits: Limits,
  { facts, refused }: { facts: LimitsFacts; refused: Refusal[] },
): Limits {
  const allowed = { ...limits };
  if (limits.rtprio !== undefined && limits.rtprio > HIGHEST_PRIORITY) {
    allowed.rtprio = HIGHEST_PRIORITY;
    const reason = `Priority ${limits.rtprio} is that of the kernel's migration and watchdog threads; ${HIGHEST_PRIORITY} is given.`;
    refused.push({ id: `limits.rtprio@${subject}`, kind: 'refused', reason });
  }
  if (limits.nofile !== undefined && facts.nrOpen !== undefined && limits.nofile > facts.nrOpen) {
    delete allowed.nofile;
    const reason = `${limits.nofile} is more than fs.nr_open (${facts.nrOpen}): logins would fail. Raise kernel.sysctl fs.nr_open first.`;
    refused.push({ id: `limits.nofile@${subject}`, kind: 'refused', reason });
  }
  return allowed;
}

function desirePamFile(subjects: readonly Subject[], facts: LimitsFacts, refused: Refusal[]): readonly Setting[] {
  if (subjects.length === 0) return [];
  if (!facts.hasPamLimits) {
    const reason = `${PAM_FOLDER} is not there: this system has no pam_limits.`;
    refused.push({ id: `limits.pam@${PAM_FILE}`, kind: 'unsupported', reason });
    return [];
  }
  const why =
    'Trading processes lock their memory and take realtime priorities; without these limits both fail. For new logins.';
  const value = renderPamLimits(subjects);
  refused.push(...findOverrides({ path: PAM_FILE, text: value }, facts.others));
  return [fileSetting(`limits.pam@${PAM_FILE}`, PAM_FILE, { value, why })];
}

function desireSystemdFile(limits: Limits, facts: LimitsFacts, refused: Refusal[]): readonly Setting[] {
  if (!facts.hasSystemd) {
    refused.push({
      id: `limits.systemd@${SYSTEMD_FILE}`,
      kind: 'unsupported',
      reason: '/etc/systemd is not there: this system has no systemd.',
    });
    return [];
  }
  const why =
    'Services do not read limits.conf. For services that start after systemctl daemon-reexec, or the next boot.';
  const value = renderSystemdDefaults(limits);
  refused.push(...findSystemdOverrides({ path: SYSTEMD_FILE, text: value }, facts.laterDropIns));
  return [fileSetting(`limits.systemd@${SYSTEMD_FILE}`, SYSTEMD_FILE, { value, why })];
}

function fileSetting(id: string, path: string, { value, why }: { value: string; why: string }): Setting {
  return {
    id,
    stage: 'values',
    tunable: { kind: 'config-file', path, mode: 0o644 },
    value,
    why,
    ifRefused: 'fail',
    disruption: 'none',
  };
}
