/** What an expression of PromQL uses, told from its words. */
export interface Uses {
  readonly metrics: readonly { readonly name: string; readonly labels: readonly string[] }[];
  /** Of by, on, without and their like. */
  readonly grouped: readonly string[];
}

const GROUPING = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const OPERATORS = new Set(['and', 'or', 'unless', 'bool', 'offset']);

export function usesOf(expression: string): Uses {
  const text = expression
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/(?<![\w:])\d[\w.]*(?:(?<=e)[+-]\d+)?/g, '0');
  const metrics: { name: string; labels: string[] }[] = [];
  const grouped: string[] = [];
  const word = /(?<word>[a-zA-Z_:][\w:]*)\s*(?<list>\([^()]*\))?(?<matchers>\{[^}]*\})?/y;
  for (let at = 0; at < text.length; ) {
    word.lastIndex = at;
    const { word: name, list, matchers } = word.exec(text)?.groups ?? {};
    if (name === undefined) {
      at++;
      continue;
    }
    if (GROUPING.has(name)) {
      grouped.push(...(list?.match(/\w+/g) ?? []));
      at = word.lastIndex;
      continue;
    }
    at += name.length;
    const isFunction = /^\s*(\(|(by|without)\b)/.test(text.slice(at));
    if (OPERATORS.has(name) || isFunction) continue;
    metrics.push({ name, labels: [...(matchers?.matchAll(/(\w+)\s*[=!]/g) ?? [])].map((match) => match[1] as string) });
    if (matchers !== undefined) at += matchers.length;
  }
  return { metrics, grouped };
}
