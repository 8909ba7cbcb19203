import { HftError, UsageError } from '../../errors.ts';
import { CpuExpressionError } from '../../layout/cpu-expression.ts';
import { LayoutError, type LayoutKey } from '../../layout/layout-error.ts';
import { Contradiction } from '../../tuning/contradiction.ts';
import type { SentError } from '../protocol/message.ts';
import { plainText } from './plain-text.ts';

/** No request was sent: nothing was done there. */
const NOTHING_DONE = 3;
/** A request that changes the host was sent, and nobody knows how it ended. */
const UNKNOWN_END = 4;

export class UnknownAgent extends UsageError {
  constructor(host: string, file: string) {
    super(`${host}: its key is not known here.`, {
      next: [`\`hft agent keygen\` on ${host} prints it; \`hft agent trust ${host} KEY\` writes it to ${file}.`],
    });
  }
}

export class Unreachable extends HftError {
  constructor(host: string, reason: string, next: string) {
    super(`${host}: the agent cannot be reached: ${reason}.`, { exitCode: NOTHING_DONE, next: [next] });
  }
}

export class KeyRefused extends HftError {
  constructor(host: string, publicKey: string) {
    super(`${host}: the agent refused the key of this controller.`, {
      exitCode: NOTHING_DONE,
      next: [`On ${host}: \`hft agent authorize ${publicKey} --role operator --name WHO\`.`],
    });
  }
}

export class WrongServerKey extends HftError {
  constructor(host: string, file: string) {
    super(`${host}: whatever answers there does not have the key that is known of it.`, {
      exitCode: NOTHING_DONE,
      next: [
        `Nothing was sent to it. If its key was changed: ask for the new one on ${host} itself (\`hft agent keygen --show\`), and \`hft agent trust ${host} KEY\` (${file}).`,
      ],
    });
  }
}

export class OtherProtocol extends HftError {
  constructor(host: string, versions: { readonly theirs: number; readonly ours: number }) {
    const { theirs, ours } = versions;
    super(`${host}: the agent speaks version ${theirs} of the protocol, this hft ${ours}.`, {
      exitCode: NOTHING_DONE,
      next: [theirs < ours ? `Bring the hft on ${host} up to date.` : 'Bring the hft here up to date.'],
    });
  }
}

/** `writes`: the request may have been followed. */
export class NoAnswer extends HftError {
  constructor(host: string, reason: string, writes: boolean) {
    super(`${host}: ${reason}.`, {
      exitCode: writes ? UNKNOWN_END : NOTHING_DONE,
      next: writes
        ? [
            `What it was asked to do goes on there, or is undone by its journal. \`hft status --host ${host}\` shows it.`,
          ]
        : [`See \`journalctl -u hft-agent\` on ${host}.`],
    });
  }
}

/** The connection was lost for good while something was looked at there that ends when nobody waits for it. */
export class NotAttended extends HftError {
  constructor(host: string, reason: string, unattendedS: number) {
    super(`${host}: ${reason}.`, {
      exitCode: NOTHING_DONE,
      next: [`It ends there by itself, ${unattendedS === 0 ? 'at once' : 'within a minute'}, and nothing of it stays.`],
    });
  }
}

const LAYOUT_KEYS: readonly string[] = ['nic', 'housekeeping', 'irq', 'isolated', 'smt'] satisfies LayoutKey[];

/** Of a part that two domains want: `dpdk.devices.0`. */
const PROFILE_PATH = /^(?:dpdk|ptp)(?:\.[A-Za-z0-9]{1,40}){1,4}$/;

/** What the agent says went wrong there, as it would be here: the profile's file is here, so a place in it is found here. */
export function fromSentError(host: string, sent: SentError): HftError {
  const next = sent.next.map(plainText);
  const message = plainText(sent.message);
  const about = plainText(sent.about ?? '');
  if (sent.kind === 'layout' && LAYOUT_KEYS.includes(about))
    return new LayoutError(about as LayoutKey, message.replace(`layout.${about}: `, ''), next);
  if (sent.kind === 'cpus')
    return Object.assign(new CpuExpressionError({ expression: about, column: 0 }, '', next), { message });
  if (sent.kind === 'expected' && PROFILE_PATH.test(about) && message.startsWith(`${about}: `))
    return new Contradiction(about, message.slice(`${about}: `.length), next);
  return new HftError(`${host}: ${message}`, { exitCode: sent.exitCode, next });
}
