import type { HostReader, QueryResult } from './host.ts';

/**
 * Asks every question once and gives the same answer for ever, errors included. For one planning pass: it is faster,
 * and two domains that look at one file see the same machine.
 */
export function rememberingReader(reader: HostReader): HostReader {
  const texts = new Map<string, Promise<string | undefined>>();
  const lists = new Map<string, Promise<readonly string[] | undefined>>();
  const links = new Map<string, Promise<string | undefined>>();
  const answers = new Map<string, Promise<QueryResult>>();
  return {
    label: reader.label,
    readText: (path) => askOnce(texts, path, () => reader.readText(path)),
    list: (path) => askOnce(lists, path, () => reader.list(path)),
    readLink: (path) => askOnce(links, path, () => reader.readLink(path)),
    query: (argv) => askOnce(answers, JSON.stringify(argv), () => reader.query(argv)),
  };
}

function askOnce<T>(known: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const answer = known.get(key) ?? ask();
  known.set(key, answer);
  return answer;
}
