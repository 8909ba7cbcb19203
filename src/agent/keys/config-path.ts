type Environment = Readonly<Record<string, string | undefined>>;

/** Where a host's agent has its key and who may ask it: HFT_CONFIG_DIR, else /etc/hft. */
export function agentFolder(environment: Environment): string {
  return environment.HFT_CONFIG_DIR || '/etc/hft';
}

/** Where a person has the key that agents know, and the keys of agents: HFT_CONFIG_DIR, else ~/.config/hft. */
export function controllerFolder(environment: Environment): string {
  const { HFT_CONFIG_DIR, XDG_CONFIG_HOME, HOME } = environment;
  return HFT_CONFIG_DIR || `${XDG_CONFIG_HOME || `${HOME || '/root'}/.config`}/hft`;
}

export function authorizedFile(environment: Environment): string {
  return `${agentFolder(environment)}/authorized_controllers`;
}

export function knownAgentsFile(environment: Environment): string {
  return `${controllerFolder(environment)}/known_agents`;
}
