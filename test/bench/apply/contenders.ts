import type { FileSetting } from './settings.ts';

const SYSCTL = '/proc/sys/';
const THP = '/sys/kernel/mm/transparent_hugepage/';

/** `net.ipv4.tcp_rmem` for /proc/sys/net/ipv4/tcp_rmem. */
function sysctlName(path: string): string {
  return path.slice(SYSCTL.length).replaceAll('/', '.');
}

interface Files {
  readonly [name: string]: string;
}

/**
 * A tuned profile with the same settings, each by the plug-in that tuned has for it: sysctl, vm, sysfs. It has none
 * that gives an interrupt of its own a CPU set, so those, and what is in /sys but refused by its sysfs plug-in, are
 * written by one shell script, which is the fastest way that tuned has.
 */
export function writeTunedProfile(settings: readonly FileSetting[]): Files {
  const sysctls = settings.filter(({ path }) => path.startsWith(SYSCTL));
  const thp = settings.filter(({ path }) => path === `${THP}enabled` || path === `${THP}defrag`);
  const sysfs = settings.filter((each) => each.path.startsWith('/sys/') && !thp.includes(each));
  const others = settings.filter(({ path }) => !path.startsWith('/sys/') && !path.startsWith(SYSCTL));
  const lines = [
    '[main]',
    'summary=The part of colo that hft is compared on',
    '',
    '[vm]',
    ...thp.map(({ path, text }) => `transparent_hugepage${path.endsWith('defrag') ? '.defrag' : ''}=${text}`),
    '',
    '[sysctl]',
    ...sysctls.map(({ path, text }) => `${sysctlName(path)}=${text}`),
    '',
    '[sysfs]',
    ...sysfs.map(({ path, text }) => `${path}=${text}`),
    '',
    '[script]',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: tuned replaces it.
    'script=${i:PROFILE_DIR}/interrupts.sh',
    '',
  ];
  return {
    'tuned.conf': lines.join('\n'),
    'interrupts.sh': ['#!/bin/sh', '[ "$1" = start ] || exit 0', ...others.map(toEcho), ''].join('\n'),
  };
}

function toEcho({ path, text }: FileSetting): string {
  return `echo '${text}' > ${path}`;
}

/** A playbook that asks for nothing: what Ansible takes to start and to end. */
export const EMPTY_PLAYBOOK = `- hosts: all
  gather_facts: false
  tasks: []
`;

/**
 * An Ansible playbook with the same settings as people write it: a task for each kind with a loop over its settings.
 * Needs ansible-core alone; facts, which it does not need, are not gathered.
 */
export function writePlaybook(settings: readonly FileSetting[]): string {
  const sysctls = settings.filter(({ path }) => path.startsWith(SYSCTL));
  const files = settings.filter(({ path }) => !path.startsWith(SYSCTL));
  return `- hosts: all
  gather_facts: false
  tasks:
    - name: sysctl
      ansible.builtin.command: sysctl -w "{{ item.name }}={{ item.value }}"
      loop:
${sysctls.map(({ path, text }) => `        - { name: ${sysctlName(path)}, value: ${JSON.stringify(text)} }`).join('\n')}
    - name: THP, workqueues, interrupts
      ansible.builtin.shell: echo '{{ item.text }}' > {{ item.path }}
      loop:
${files.map(({ path, text }) => `        - { path: ${path}, text: ${JSON.stringify(text)} }`).join('\n')}
`;
}
