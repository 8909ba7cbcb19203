import { describe, expect, test } from 'vitest';
import { defaultSystemdBootEntry, listSystemdBootEntries } from '../../../src/tunables/boot/bootctl.ts';

const ENTRIES = [
  { id: 'debian-6.12.conf', path: '/efi/loader/entries/debian-6.12.conf', root: '/efi' },
  { id: 'debian-6.1.conf', path: '/efi/loader/entries/debian-6.1.conf', root: '/efi' },
  { id: 'arch.efi', path: '/efi/EFI/Linux/arch.efi', root: '/efi' },
  { id: 'auto-reboot-to-firmware-setup' },
];

describe('what bootctl lists', () => {
  test.each([
    ['a list (later systemd)', JSON.stringify(ENTRIES)],
    ['an object a line (systemd 252)', `${ENTRIES.map((entry) => JSON.stringify(entry)).join('\n')}\n`],
  ])('%s', (_name, text) => {
    expect(listSystemdBootEntries(text).map(({ id, type }) => [id, type])).toEqual([
      ['debian-6.12.conf', 'type1'],
      ['debian-6.1.conf', 'type1'],
      ['arch.efi', 'type2'],
      ['auto-reboot-to-firmware-setup', 'other'],
    ]);
  });

  test.each(['', 'Failed to open', 'null', '{'])('%j is no list', (text) => {
    expect(listSystemdBootEntries(text)).toEqual([]);
  });
});

describe('the default of systemd-boot', () => {
  const entries = listSystemdBootEntries(JSON.stringify(ENTRIES));

  test.each([
    ['the first entry', {}, 'debian-6.12.conf'],
    ['a pattern in loader.conf', { config: '#default x\ndefault  debian-6.1.*\n' }, 'debian-6.1.conf'],
    ['a pattern that matches nothing', { config: 'default fedora-*\n' }, 'debian-6.12.conf'],
    ['@saved', { config: 'default @saved\n', lastBooted: 'arch.efi' }, 'arch.efi'],
    ['the EFI variable before loader.conf', { chosen: 'arch.efi', config: 'default debian-6.1.*\n' }, 'arch.efi'],
  ])('%s', (_name, part, id) => {
    const choice = { entries, chosen: '', lastBooted: '', config: undefined, ...part };
    expect(defaultSystemdBootEntry(choice)?.id).toBe(id);
  });

  test('nothing when there is no entry', () => {
    expect(defaultSystemdBootEntry({ entries: [], chosen: '', lastBooted: '', config: undefined })).toBeUndefined();
  });
});
