/** Control characters, among them those that a terminal obeys; line feeds and tabs stay. */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Text of another host as it may be shown: it moves no cursor, colours nothing, and turns no line around. */
export function plainText(text: string): string {
  return text.replace(CONTROL, '\ufffd');
}

/** The same for every text in what an agent answered. Keys too: some are shown. */
export function withPlainTexts(value: unknown): unknown {
  if (typeof value === 'string') return plainText(value);
  if (Array.isArray(value)) return value.map(withPlainTexts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [plainText(key), withPlainTexts(each)]));
}
