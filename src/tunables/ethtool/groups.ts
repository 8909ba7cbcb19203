import type { EthtoolGroup } from '../tunable.ts';
import { parseCoalesce } from './coalesce.ts';
import { parseEee } from './eee.ts';
import { parseFeatureParameters } from './features.ts';
import { parseChannels, parseRings } from './maximums.ts';
import type { Parameters } from './output.ts';
import { parsePause } from './pause.ts';
import { parsePrivateFlags } from './private-flags.ts';

/** How ethtool shows and sets the parameters of one group: `ethtool -g DEVICE`, `ethtool -G DEVICE rx 4096`. */
export interface EthtoolGroupCommands {
  readonly show: string;
  readonly set: string;
  /** Undefined when the text is not the output of `show` for this device. */
  readonly parse: (text: string, device: string) => Parameters | undefined;
}

/** All groups that are lists of parameters; rss is one table. ethtool(8). */
export const GROUPS: Readonly<Record<Exclude<EthtoolGroup, 'rss'>, EthtoolGroupCommands>> = {
  channels: { show: '-l', set: '-L', parse: parseChannels },
  ring: { show: '-g', set: '-G', parse: parseRings },
  pause: { show: '-a', set: '-A', parse: parsePause },
  'private-flag': { show: '--show-priv-flags', set: '--set-priv-flags', parse: parsePrivateFlags },
  feature: { show: '-k', set: '-K', parse: parseFeatureParameters },
  coalesce: { show: '-c', set: '-C', parse: parseCoalesce },
  eee: { show: '--show-eee', set: '--set-eee', parse: parseEee },
};
