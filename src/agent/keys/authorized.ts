import { parsePublicKey, printPublicKey } from './key-text.ts';
import { isRole, ROLES, type Role } from './roles.ts';

/** A controller that may ask this host's agent. */
export interface Controller {
  readonly role: Role;
  readonly key: string;
  /** For the log. */
  readonly name: string;
}

export interface AuthorizedControllers {
  readonly controllers: readonly Controller[];
  /** Lines that say nothing, as `line N: …`: they let nobody in. */
  readonly mistakes: readonly string[];
}

/** /etc/hft/authorized_controllers: `ROLE KEY NAME` a line. Somebody with several keys has several lines. */
export function parseAuthorized(text: string): AuthorizedControllers {
  const controllers: Controller[] = [];
  const mistakes: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const [role = '', key = '', ...name] = line.trim().split(/\s+/);
    if (role === '' || role.startsWith('#')) continue;
    const publicKey = parsePublicKey(key);
    if (!isRole(role)) mistakes.push(`line ${index + 1}: expected ${ROLES.join(', ')}, got ${JSON.stringify(role)}`);
    else if (publicKey === undefined)
      mistakes.push(`line ${index + 1}: expected a public key (hftpub_…) after ${role}`);
    else if (controllers.some((known) => known.key === publicKey))
      mistakes.push(`line ${index + 1}: this key is in an earlier line already`);
    else controllers.push({ role, key: publicKey, name: name.join(' ') || 'unnamed' });
  }
  return { controllers, mistakes };
}

/** The text with one controller more; with another role or name where the key is known. Comments stay. */
export function withController(text: string, { role, key, name }: Controller): string {
  return `${withoutController(text, key).replace(/\n*$/, '\n').replace(/^\n$/, '')}${role} ${printPublicKey(key)} ${name}\n`;
}

export function withoutController(text: string, key: string): string {
  const printed = printPublicKey(key);
  const kept = text.split('\n').filter((line) => line.trim().startsWith('#') || !line.split(/\s+/).includes(printed));
  return kept.join('\n');
}
