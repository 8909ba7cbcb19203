/** Z85, the spelling of keys in ZeroMQ: five characters for four bytes. https://rfc.zeromq.org/spec/32/ */
const CHARACTERS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';
const BASE = CHARACTERS.length;
const BYTES = 4;

/** `bytes` in a multiple of four. */
export function encodeZ85(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += BYTES) {
    const word = bytes.readUInt32BE(at);
    for (let place = BYTES; place >= 0; place--) text += CHARACTERS[Math.floor(word / BASE ** place) % BASE];
  }
  return text;
}
