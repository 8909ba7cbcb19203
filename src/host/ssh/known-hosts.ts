import { createHmac } from 'node:crypto';

/** A line of known_hosts, sshd(8) SSH_KNOWN_HOSTS FILE FORMAT. */
interface Line {
  readonly marker: 'revoked' | 'cert-authority' | undefined;
  readonly hosts: string;
  readonly type: string;
  /** base64. */
  readonly key: string;
}

/**
 * `known`: the host may be talked to. `changed`: other keys of this type are known, `revoked`: it must never be taken,
 * `unknown`: nothing is known of it.
 */
export type Judgement = 'known' | 'changed' | 'revoked' | 'unknown';

/** The texts of the files of known hosts, and how the host is called in them. */
export class KnownHosts {
  readonly #lines: readonly Line[];
  /** With its port, unless that is 22. */
  readonly #name: string;
  /** A key that is known of the host at its usual port is taken at another one too, as ssh does. */
  readonly #plainName: string;

  constructor(texts: readonly string[], host: { readonly name: string; readonly port: number }) {
    this.#lines = texts.flatMap(parseLines);
    this.#plainName = host.name.toLowerCase();
    this.#name = host.port === 22 ? this.#plainName : `[${this.#plainName}]:${host.port}`;
  }

  /** What is known under which name in the files. */
  get name(): string {
    return this.#name;
  }

  /** Types of the keys that are known: only these are worth being offered. */
  get types(): readonly string[] {
    return [...new Set(this.#own(undefined).map(({ type }) => type))];
  }

  /** An authority vouches for the host: by certificates, which ssh(1) checks. */
  get hasAuthority(): boolean {
    return this.#linesOf(this.#name, 'cert-authority').length > 0;
  }

  /** `key` as it came over the wire: its type is in it. */
  judge(key: Buffer): Judgement {
    const text = key.toString('base64');
    const revoked = [...this.#linesOf(this.#name, 'revoked'), ...this.#linesOf(this.#plainName, 'revoked')];
    if (revoked.some((line) => line.key === text)) return 'revoked';
    const own = this.#own(undefined);
    if (own.some((line) => line.key === text)) return 'known';
    return own.length > 0 ? 'changed' : 'unknown';
  }

  #own(marker: Line['marker']): readonly Line[] {
    const named = this.#linesOf(this.#name, marker);
    return named.length > 0 ? named : this.#linesOf(this.#plainName, marker);
  }

  #linesOf(name: string, marker: Line['marker']): readonly Line[] {
    return this.#lines.filter((line) => line.marker === marker && matchesHost(line.hosts, name));
  }
}

function parseLines(text: string): readonly Line[] {
  return text.split('\n').flatMap((line) => {
    const words = line.trim().split(/[ \t]+/);
    if (words[0] === '' || words[0]?.startsWith('#')) return [];
    const marker = words[0]?.startsWith('@') ? words.shift()?.slice(1) : undefined;
    if (marker !== undefined && marker !== 'revoked' && marker !== 'cert-authority') return [];
    const [hosts = '', type = '', key = ''] = words;
    return key === '' ? [] : [{ marker, hosts, type, key }];
  });
}

/** A hash of one name, or patterns with `*`, `?`, and `!` before those that must not match. */
function matchesHost(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) {
    const [, version, salt = '', sum] = hosts.split('|');
    return version === '1' && createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === sum;
  }
  const patterns = hosts.toLowerCase().split(',');
  const fits = (pattern: string) => patternOf(pattern).test(name);
  if (patterns.some((pattern) => pattern.startsWith('!') && fits(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && fits(pattern));
}

function patternOf(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`);
}
