import type { HostReader, QueryResult } from './host.ts';

/**
 * Asks every question once and gives the same answer for ever, errors included. For one planning pass: it is faster,
 * and two domains that look at one file see the same machine. So what is worked out from the answers stays right too.
 */
export function rememberingReader(reader: HostReader): HostReader {
  const texts = new Map<string, Promise<string | undefined>>();
  const lists = new Map<string, Promise<readonly string[] | undefined>>();
  const links = new Map<string, Promise<string | undefined>>();
  const answers = new Map<string, Promise<QueryResult>>();
  const results = new Map<unknown, Promise<unknown>>();
  const remembering: HostReader = {
    label: reader.label,
    readText: (path) => askOnce(texts, path, () => reader.readText(path)),
    list: (path) => askOnce(lists, path, () => reader.list(path)),
    readLink: (path) => askOnce(links, path, () => reader.readLink(path)),
    query: (argv) => askOnce(answers, JSON.stringify(argv), () => reader.query(argv)),
    remember: <T>(work: (reader: HostReader) => Promise<T>) =>
      askOnce(results as Map<unknown, Promise<T>>, work, () => work(remembering)),
  };
  return remembering;
}

function askOnce<Key, T>(known: Map<Key, Promise<T>>, key: Key, ask: () => Promise<T>): Promise<T> {
  const answer = known.get(key) ?? ask();
  known.set(key, answer);
  return answer;
}
