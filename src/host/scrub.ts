import type { RecordedCommand } from './recorded-command.ts';
import type { RecordedAnswer, Recording } from './recording.ts';
import { AddressPseudonyms } from './scrub-addresses.ts';
import type { PrivateValues } from './scrub-names.ts';
import { findPrivateValues, isPrivateFile, namesTheHost } from './scrub-names.ts';
import { Pseudonyms } from './scrub-shapes.ts';
import { scrubKernelTable } from './scrub-tables.ts';

/**
 * The recording without what tells whose machine it is: hardware, IPv4 and IPv6 addresses, UUIDs and machine ids,
 * serial numbers and host names, in contents, names, link targets, commands and their output. The same original is the
 * same pseudonym everywhere, of the same length and shape. Program and firmware versions stay, also those that look
 * like an IPv4 address. What has no form and is in no known place (a person's name in a comment) stays too: look
 * through a snapshot before you publish it.
 */
export function scrubRecording(recording: Recording): Recording {
  const scrubber = new Scrubber(findPrivateValues(recording));
  return {
    label: recording.label.includes('/') ? recording.label : scrubber.scrubOwnName(recording.label),
    answers: recording.answers.map((answer) => scrubAnswer(scrubber, answer)),
    links: new Map([...recording.links].map(([place, target]) => [scrubber.scrub(place), scrubber.scrub(target)])),
    commands: recording.commands.map((command) => scrubCommand(scrubber, command)),
  };
}

function scrubAnswer(scrubber: Scrubber, recorded: RecordedAnswer): RecordedAnswer {
  const { question, path, place, answer } = recorded;
  const names = {
    question,
    path: scrubber.scrub(path),
    place: place === undefined ? undefined : scrubber.scrub(place),
  };
  if ('error' in answer || answer.value === undefined) return { ...names, answer };
  if (typeof answer.value !== 'string')
    return { ...names, answer: { value: answer.value.map((name) => scrubber.scrub(name)).sort() } };
  return {
    ...names,
    answer: { value: question === 'read' ? scrubber.scrubFile(path, answer.value) : scrubber.scrub(answer.value) },
  };
}

function scrubCommand(scrubber: Scrubber, { argv, answer }: RecordedCommand): RecordedCommand {
  const words = argv.map((word) => scrubber.scrub(word));
  if (!('stdout' in answer)) return { argv: words, answer };
  const scrub = (text: string) => (namesTheHost(argv) ? scrubber.scrubOwnName(text) : scrubber.scrub(text));
  return { argv: words, answer: { ...answer, stdout: scrub(answer.stdout), stderr: scrub(answer.stderr) } };
}

/** Longest first where one form contains another. Every form starts and ends at the edge of a word. */
const HEX = '[0-9A-Fa-f]';
const FORMS = {
  uuid: String.raw`(?<!\w)${HEX}{8}-(?:${HEX}{4}-){3}${HEX}{12}(?!\w)`,
  // The ids of FAT file systems and DOS partition tables are shorter; only their label tells them from other numbers.
  volume: String.raw`(?<=\b(?:PART)?UUID=)(?:${HEX}{4}-${HEX}{4}|${HEX}{8}(?=-${HEX}{2}\b))(?!\w)`,
  clock: String.raw`(?<!\w)${HEX}{6}\.fffe\.${HEX}{6}(?!\w)`,
  hardware: String.raw`(?<![\w:])${HEX}{2}(?::${HEX}{2}){5,19}(?![\w:])|(?<![\w-])${HEX}{2}(?:-${HEX}{2}){5,19}(?![\w-])`,
  guid: String.raw`(?<![\w:])(?:${HEX}{4}:){3}${HEX}{4}(?![\w:])`,
  inName: String.raw`(?<=\b(?:en|wl|ww|ib)x)${HEX}{12}(?!\w)`,
  ipv6: String.raw`(?<![\w:.])${HEX}{0,4}:[0-9A-Fa-f:]{0,34}:(?:\d{1,3}(?:\.\d{1,3}){3}|${HEX}{0,4})(?![\w:])`,
  ipv4: String.raw`(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\w)`,
  machineId: String.raw`(?<!\w)${HEX}{32}(?!\w)`,
} as const;

/** A dotted number after one of these words, and after none that announces an address, is a version. */
const VERSION_WORD =
  /(version|firmware|driver|release|bios|nvm|\bfw)(?![^\n]*\b(addr|inet|ip|local|remote|gateway|via|src|server|peer))[^\n]*$/i;
const VERSION_FILE = /(version|firmware|fw_ver|release)[^/]*$/;
const VERSION_REACH = 60;

class Scrubber {
  readonly #values: PrivateValues;
  readonly #texts = new Pseudonyms();
  readonly #addresses = new AddressPseudonyms();
  readonly #pattern: RegExp;
  readonly #own: RegExp;

  constructor(values: PrivateValues) {
    this.#values = values;
    const forms = Object.entries(FORMS).map(([name, form]) => `(?<${name}>${form})`);
    const everywhere = matchAny(values.everywhere);
    this.#pattern = new RegExp([`(?<value>${everywhere})`, ...forms].join('|'), 'g');
    this.#own = new RegExp(matchAny(values.atSource), 'g');
  }

  scrub(text: string): string {
    return this.#scrub(text, '');
  }

  /** Text that names the machine, where a name counts although it is an ordinary word. */
  scrubOwnName(text: string): string {
    return this.scrub(text).replace(this.#own, (value) => this.#texts.ofText(value, 'word'));
  }

  scrubFile(path: string, text: string): string {
    const table = scrubKernelTable(path, text, this.#addresses);
    if (table !== undefined) return table;
    const value = text.trim();
    const isPrivate = isPrivateFile(path) && this.#values.atSource.has(value);
    return isPrivate ? text.replace(value, () => this.#texts.ofText(value, 'word')) : this.#scrub(text, path);
  }

  #scrub(text: string, path: string): string {
    return text.replace(this.#pattern, (match, ...rest) => {
      const groups = rest.at(-1) as Record<string, string | undefined>;
      const offset = rest.at(-3) as number;
      if (groups.value !== undefined) return this.#texts.ofText(match, 'word');
      if (groups.ipv4 !== undefined) {
        const isVersion =
          VERSION_FILE.test(path) || VERSION_WORD.test(text.slice(Math.max(0, offset - VERSION_REACH), offset));
        return isVersion ? match : this.#addresses.ofIpv4(match);
      }
      if (groups.ipv6 !== undefined) return this.#addresses.ofIpv6(match);
      const isAddress = [groups.hardware, groups.clock, groups.inName].some((each) => each !== undefined);
      return isAddress ? this.#addresses.ofHardware(match) : this.#addresses.ofIdentifier(match);
    });
  }
}

/** Any of the values where no letter or digit touches it; a pattern that matches nothing when there are none. */
function matchAny(values: ReadonlySet<string>): string {
  if (values.size === 0) return '(?!)';
  const longestFirst = [...values].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  return `(?<![A-Za-z0-9])(?:${longestFirst.map((value) => value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|')})(?![A-Za-z0-9])`;
}
