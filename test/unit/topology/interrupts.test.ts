import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseInterrupts } from '../../../src/topology/interrupts.ts';

const HEADER = '           CPU0       CPU1       \n';

function parseRow(row: string) {
  return parseInterrupts(`${HEADER}${row}\n`)[0];
}

describe('parseInterrupts', () => {
  test.each([
    ['x86 pin', '  0:         97          0  IR-IO-APIC   2-edge      timer', 'IR-IO-APIC', 2, ['timer']],
    ['fasteoi', '  9:  0  0  IR-IO-APIC   9-fasteoi   acpi', 'IR-IO-APIC', 9, ['acpi']],
    [
      'device in the name of the controller',
      ' 53:          0          3  IR-PCI-MSIX-0000:01:00.0   2-edge      enp1s0-TxRx-1',
      'IR-PCI-MSIX-0000:01:00.0',
      2,
      ['enp1s0-TxRx-1'],
    ],
    ['before 6.2', ' 24:  1  2   PCI-MSI 524288-edge      nvme0q0', 'PCI-MSI', 524288, ['nvme0q0']],
    ['no vector number', '  1:  9  0   IO-APIC-edge      i8042', 'IO-APIC-edge', undefined, ['i8042']],
    [
      'shared, with blanks',
      ' 25:  0  0  PCI-MSI 65536-edge      PCIe PME, aerdrv',
      'PCI-MSI',
      65536,
      ['PCIe PME', 'aerdrv'],
    ],
    ['ARM', ' 13:  5  6     GICv3  27 Level     arch_timer', 'GICv3', 27, ['arch_timer']],
    ['ARM edge', ' 14:  5  6   ITS-MSI 134742016 Edge      eth0-TxRx-0', 'ITS-MSI', 134742016, ['eth0-TxRx-0']],
    ['Xen', ' 48:  5  6   xen-percpu    -virq      timer0', 'xen-percpu', undefined, ['timer0']],
    ['counted, no action', ' 30:  5  0   PCI-MSI 524289-edge', 'PCI-MSI', 524289, []],
    ['ARM, no action', ' 31:  5  0     GICv3  28 Level', 'GICv3', 28, []],
  ])('%s', (_, row, chip, hardwareNumber, actions) => {
    expect(parseRow(row)).toEqual({ irq: Number(/\d+/.exec(row)?.[0]), chip, hardwareNumber, actions });
  });

  test('rows of the architecture and what is no row are left out', () => {
    expect(parseInterrupts(`${HEADER}NMI:  0  0   Non-maskable interrupts\nERR:  0\n\nrubbish\n`)).toEqual([]);
    expect(parseInterrupts('')).toEqual([]);
  });

  test('as many counters as CPUs are online, however wide', () => {
    const cpus = Array.from({ length: 300 }, (_, cpu) => cpu);
    const text = `${cpus.map((cpu) => `CPU${cpu}`).join(' ')}\n7: ${cpus.join(' ')}  IO-APIC   7-edge      x\n`;
    expect(parseInterrupts(text)).toEqual([{ irq: 7, chip: 'IO-APIC', hardwareNumber: 7, actions: ['x'] }]);
  });

  test('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789:- \nCPUabc,') }), (text) => {
        for (const row of parseInterrupts(`CPU0\n${text}`)) expect(Number.isInteger(row.irq)).toBe(true);
      }),
    );
  });
});
