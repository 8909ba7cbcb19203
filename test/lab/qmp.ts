import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import { LabError } from './lab-error.ts';

interface Reply {
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
}

/**
 * Sends one command to QEMU and returns its answer, e.g. `queryMonitor(socket, 'query-status')`. A line without a QMP
 * command's form can be sent as `human-monitor-command`. Protocol: docs/interop/qmp-spec.rst of QEMU.
 */
export async function queryMonitor(
  socket: string,
  command: string,
  args: Record<string, unknown> = {},
): Promise<unknown> {
  const connection = createConnection(socket);
  try {
    const send = (execute: string, given: Record<string, unknown>) =>
      connection.write(`${JSON.stringify({ execute, arguments: given })}\n`);
    let asked = false;
    for await (const line of createInterface({ input: connection })) {
      const message = JSON.parse(line) as Reply & { readonly QMP?: unknown };
      if (message.QMP !== undefined) send('qmp_capabilities', {});
      if (message.error !== undefined) throw new LabError(`QEMU refused ${command}: ${message.error.desc}`);
      if (!('return' in message)) continue;
      if (asked) return message.return;
      asked = true;
      send(command, args);
    }
    throw new LabError(`QEMU closed its monitor before it answered ${command}.`);
  } finally {
    connection.destroy();
  }
}
