import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { isDeep, LIMITS } from './limits.ts';

/** JSON is a tenth of its size as gzip: a matrix of a hundred CPUs or an hour of histograms goes into one answer. base64. */
export type Packed = string;

const zip = promisify(gzip);
const unzip = promisify(gunzip);

export async function pack(value: unknown): Promise<Packed> {
  return (await zip(JSON.stringify(value))).toString('base64');
}

/** undefined for what is none, is nested too deeply, or unfolds to more than is taken. */
export async function unpack(packed: Packed): Promise<unknown> {
  try {
    const bytes = await unzip(Buffer.from(packed, 'base64'), { maxOutputLength: LIMITS.unpackedBytes });
    const text = bytes.toString('utf8');
    return isDeep(text) ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
