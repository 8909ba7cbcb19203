const SCHEME = 'agent://';

/** `agent://HOST[:PORT]`, as `--host` names it: no address of a responder, but an agent that starts one. */
export function isAgentPeer(text: string | undefined): text is string {
  return text?.startsWith(SCHEME) === true;
}

export function hostOfAgentPeer(text: string): string {
  return text.slice(SCHEME.length);
}
