/** What a YAML file holds, in the words of messages: profiles and deployments are read by the same loader. */
export interface Wording {
  readonly noun: 'profile' | 'deployment';
  /** What to begin an empty file with. */
  readonly beginning: string;
  /** The command that shows what is there. */
  readonly list: string;
}

export const PROFILE: Wording = { noun: 'profile', beginning: '`extends: colo`', list: '`hft profile list`' };

export const DEPLOYMENT: Wording = {
  noun: 'deployment',
  beginning: '`extends: single-host`',
  list: '`hft deployment list`',
};
