import type { Limits } from './schema.ts';

/** A subject of limits.conf(5): a user, or a group with `@` before its name. */
export interface Subject {
  readonly spelled: string;
  readonly limits: Limits;
}

const HEAD = '# Written by hft tune; changes here are lost. The profile is the place for them (limits).\n';

/** /etc/security/limits.d: read by pam_limits at login, so ssh sessions and cron have it; services do not. */
export function renderPamLimits(subjects: readonly Subject[]): string {
  const lines = subjects.flatMap(({ spelled, limits }) =>
    Object.entries(limits).flatMap(([item, value]) =>
      value === undefined ? [] : [`${spelled} - ${item} ${pamValue(item, value)}`],
    ),
  );
  return `${HEAD}${lines.join('\n')}\n`;
}

/** memlock counts KiB there. */
function pamValue(item: string, value: number | string): string {
  return item === 'memlock' && typeof value === 'number' ? String(Math.ceil(value / 1024)) : String(value);
}

/** A drop-in of systemd-system.conf(5). systemd writes nice as the number itself and memory in bytes. */
export function renderSystemdDefaults(limits: Limits): string {
  const lines = Object.entries(limits).flatMap(([item, value]) =>
    value === undefined
      ? []
      : [`DefaultLimit${item.toUpperCase()}=${value === 'unlimited' ? 'infinity' : spell(item, value)}`],
  );
  return `${HEAD}[Manager]\n${lines.join('\n')}\n`;
}

/** A negative nice value needs its sign, a positive one a plus: a bare number would be the raw rlimit. systemd.exec(5) */
function spell(item: string, value: number | string): string {
  return item === 'nice' && Number(value) >= 0 ? `+${value}` : String(value);
}
