/** What one end takes from the other, whatever the other end is. Sizes in bytes, times in ms. */
export const LIMITS = {
  /** The largest profile has some 20 KB. */
  requestBytes: 256 * 1024,
  /** The plan of a host with a thousand interrupts has 2 MB. */
  answerBytes: 16 * 1024 * 1024,
  /** Of one request: what is shown meanwhile is small. */
  eventsBytes: 32 * 1024 * 1024,
  /** Objects in objects. Profiles have 6. */
  depth: 32,
  /** Connections, of all and of one controller; those that have not proven their key go first. */
  connections: 128,
  connectionsOfOne: 16,
  /** What waits for a controller that does not read. */
  unsentBytes: 32 * 1024 * 1024,
  /** Requests at work at once, of all controllers. */
  atWork: 4,
  /** Requests that wait for one of those to end; of one controller at work or waiting. */
  waiting: 32,
  ofOne: 16,
  /** A controller's requests: so many at once, and then so many a second. */
  burst: 64,
  perSecond: 32,
  /** Plans of a controller that can still be applied, and for how long. */
  plans: 4,
  planMs: 15 * 60_000,
  /** Answers of requests that changed something are given again to who asks again. */
  remembered: 64,
  /** A request that is at work says so. */
  beatMs: 2_000,
  /** How far it is, at most so often. */
  progressMs: 250,
  /** All of a measurement together; a watch of processes or clocks; packets of a verification of DPDK. Seconds. */
  measuringS: 4 * 3600,
  watchingS: 600,
  trafficS: 60,
  /** A measurement goes on for so long when nobody waits for it any more; who waits is heard of every 5 s. */
  unattendedS: 30,
  silentS: 20,
  /** Of an answer's large parts: as they are sent (base64 of gzip), and unpacked. */
  packedBytes: 14 * 1024 * 1024,
  unpackedBytes: 96 * 1024 * 1024,
  /** Nobody answers a question for that long: no. */
  questionMs: 5 * 60_000,
} as const;

/** Whether objects and lists are nested deeper than anything here is, told from the text before it is parsed. */
export function isDeep(json: string): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (inText) {
      if (character === '\\') at++;
      else if (character === '"') inText = false;
    } else if (character === '"') inText = true;
    else if (character === '{' || character === '[') {
      if (++depth > LIMITS.depth) return true;
    } else if (character === '}' || character === ']') depth--;
  }
  return false;
}
