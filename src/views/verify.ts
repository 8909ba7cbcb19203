import type { Verification, VerifyResult, VerifyStatus } from '../engine/verify.ts';
import { paint, type Style, type Terminal, wrap } from './terminal.ts';

const STYLES: Readonly<Record<VerifyStatus, Style>> = {
  pass: 'green',
  fail: 'red',
  'pending-reboot': 'yellow',
  unsupported: 'magenta',
  unknown: 'cyan',
};

/** Everything that is not right with its evidence; what is right, by domain, as counts. */
export function viewVerification(verification: Verification, terminal: Terminal): string {
  const { results, summary } = verification;
  const blocks: string[] = [];
  for (const status of ['fail', 'unknown', 'pending-reboot', 'unsupported'] as const) {
    const found = results.filter((result) => result.status === status);
    if (found.length > 0) blocks.push(found.map((result) => viewResult(result, terminal)).join('\n'));
  }
  blocks.push(viewPassed(results, terminal));
  const counts = Object.entries(summary).filter(([, count]) => count > 0);
  const line = counts
    .map(([status, count]) => paint(terminal, STYLES[status as VerifyStatus], `${count} ${status}`))
    .join(', ');
  blocks.push(`${verification.host} against ${verification.profile}: ${line || 'nothing to verify'}`);
  return blocks.filter((block) => block !== '').join('\n\n');
}

function viewResult(result: VerifyResult, terminal: Terminal): string {
  const label = paint(terminal, STYLES[result.status], result.status.padEnd(14));
  const wanted = result.status === 'fail' ? [`expected ${short(result.expected)}, is ${short(result.actual)}`] : [];
  const details = [...wanted, ...wrap(result.evidence, terminal.columns - 16).split('\n')];
  return [`${label}  ${result.id}`, ...details.map((text) => paint(terminal, 'dim', `                ${text}`))].join(
    '\n',
  );
}

function viewPassed(results: readonly VerifyResult[], terminal: Terminal): string {
  const passed = results.filter((result) => result.status === 'pass');
  if (passed.length === 0) return '';
  const domains = [...new Set(passed.map((result) => result.domain))];
  const counts = domains.map((domain) => `${domain} ${passed.filter((result) => result.domain === domain).length}`);
  return `${paint(terminal, 'green', 'pass'.padEnd(14))}  ${wrap(counts.join(', '), terminal.columns - 16, 16)}`;
}

function short(value: string | null): string {
  if (value === null) return 'nothing';
  return value.includes('\n') ? `a file of ${value.split('\n').length - 1} lines` : value;
}
