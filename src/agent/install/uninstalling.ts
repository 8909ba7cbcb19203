import { z } from 'zod';
import { HftError } from '../../errors.ts';
import { endOf, lookAt } from './installing.ts';
import type { RootShell } from './root-shell.ts';
import { type HostSeen, PROGRAM } from './seen.ts';

export interface UninstallPlan {
  readonly host: string;
  /** What goes, for people. Empty: nothing of hft is there. */
  readonly removes: readonly string[];
  /** What stays, with the reason. */
  readonly keeps: readonly string[];
  readonly isDeb: boolean;
}

/** Of `hft status --json` what says that the host is not as it was without hft. */
const inForce = z.object({
  profile: z.string().nullable(),
  changes: z.array(z.unknown()),
  cutOff: z.array(z.unknown()),
  notUndone: z.array(z.unknown()),
  launched: z.unknown(),
});

/** Throws HftError where journaled tuning is in force, or nobody can say whether, unless the state is kept. */
export function planUninstall(
  host: string,
  seen: HostSeen,
  { keepState }: { readonly keepState: boolean },
): UninstallPlan {
  const has = (path: string) => seen.present.includes(path);
  const [hasState, { installed }] = [has('/var/lib/hft'), seen];
  if (hasState && !keepState) refuseInForce(host, seen);
  const other = seen.controllers.length;
  const removes = [
    ...(seen.isActive || seen.isEnabled ? ['hft-agent.service'] : []),
    ...(installed === undefined
      ? []
      : [`hft ${installed.version}, ${installed.kind === 'deb' ? 'by dpkg' : 'in /opt/hft'}`]),
    ...(has('/etc/hft/') ? [`keys, and what ${other} controllers may, in /etc/hft`] : []),
    ...['/var/cache/hft', '/run/hft'].filter(has),
    ...(hasState && !keepState ? ['/var/lib/hft: journal, measurements'] : []),
  ];
  const keeps = hasState && keepState ? ['/var/lib/hft: the journal, by which another hft can roll back'] : [];
  return { host, removes, keeps, isDeb: installed?.kind === 'deb' };
}

function refuseInForce(host: string, { status, installed }: HostSeen): void {
  const refuse = (reason: string, next: string) =>
    new HftError(`${host}: ${reason}.`, {
      exitCode: 3,
      next: [next, '`--keep-state` leaves it, with the journal to undo it by.'],
    });
  const read = inForce.safeParse(parseJson(status));
  if (!read.success)
    throw refuse(
      `/var/lib/hft is there, and no hft that says what is in force${installed ? ' answers' : ''}`,
      `Nothing was done. \`hft agent install --host ${host}\` and \`hft rollback --all --host ${host}\` first.`,
    );
  const { profile, changes, cutOff, notUndone, launched } = read.data;
  if (launched !== null && launched !== undefined)
    throw refuse('trading processes run there by units of hft', `Nothing was done. \`hft stop --host ${host}\` first.`);
  if (profile !== null || changes.length > 0 || cutOff.length > 0 || notUndone.length > 0)
    throw refuse(
      profile === null ? 'what hft changed there is not undone' : `profile ${profile} is in force there`,
      `Nothing was done. \`hft rollback --all --host ${host}\` first.`,
    );
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

/** The program goes last: what is left when this is cut off is found by the same again. Files of others in /etc/hft stay. */
const script = ({ isDeb, keeps }: UninstallPlan) => `
set -e
if systemctl cat hft-agent.service >/dev/null 2>&1; then
  systemctl disable --now --quiet hft-agent.service
  systemctl reset-failed hft-agent.service 2>/dev/null || :
fi
rm -f /etc/hft/agent.key /etc/hft/agent.next.key /etc/hft/authorized_controllers /etc/hft/agent.env
for d in /etc/hft/profiles /etc/hft/deployments /etc/hft; do rmdir "$d" 2>/dev/null || :; done
rm -rf /var/cache/hft /run/hft
${keeps.length > 0 ? '' : 'rm -rf /var/lib/hft'}
${isDeb ? `DEBIAN_FRONTEND=noninteractive dpkg --${keeps.length > 0 ? 'remove' : 'purge'} hft >&2` : ''}
rm -f /etc/systemd/system/hft-agent.service /etc/systemd/system/hft-agent.service.new
if [ "$(readlink /usr/local/bin/hft)" = ${PROGRAM.tarball}/bin/hft ]; then rm -f /usr/local/bin/hft; fi
rm -rf ${PROGRAM.tarball} ${PROGRAM.tarball}.new ${PROGRAM.tarball}.old
systemctl daemon-reload
`;

/** Takes it away, and looks again. Returns what is still there: files that are not of the agent's making. */
export async function uninstall(shell: RootShell, plan: UninstallPlan): Promise<readonly string[]> {
  const { exitCode, stderr } = await shell(script(plan));
  if (exitCode !== 0)
    throw new HftError(`${plan.host}: not all of it went: ${endOf(stderr) || `its shell ended with ${exitCode}`}.`, {
      exitCode: 3,
      next: ['The same command goes on from there.'],
    });
  const { present, installed } = await lookAt(plan.host, shell);
  if (installed === undefined) return present;
  throw new HftError(`${plan.host}: hft ${installed.version} is still there after it was taken away.`, { exitCode: 3 });
}
