import { linesAfterTitle, type Parameter, type Parameters } from './output.ts';

/**
 * Parses `ethtool --show-eee DEVICE`: energy-efficient Ethernet. `not supported` gives no parameters.
 * The timer, in microseconds, is shown only while the transmitter may sleep.
 */
export function parseEee(text: string, device: string): Parameters | undefined {
  const lines = linesAfterTitle(text, 'EEE settings', device) ?? linesAfterTitle(text, 'EEE Settings', device);
  if (lines === undefined) return undefined;
  const found = new Map<string, Parameter>();
  for (const line of lines) {
    const status = /^\s*EEE status: (?:(?<on>enabled - (?:active|inactive))|disabled)$/.exec(line);
    if (status) found.set('eee', { value: status.groups?.on === undefined ? 'off' : 'on', line: line.trim() });
    const idle = /^\s*Tx LPI: +(?:(?<timer>\d{1,10}) \(us\)|disabled)$/.exec(line);
    if (!idle) continue;
    const timer = idle.groups?.timer;
    found.set('tx-lpi', { value: timer === undefined ? 'off' : 'on', line: line.trim() });
    if (timer !== undefined) found.set('tx-timer', { value: String(Number(timer)), line: line.trim() });
  }
  return found;
}
