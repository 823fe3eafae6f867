// Contents of the soak: who asked, which of its requests, and what for, at both ends of a known filling.

/** Characters that each end has: connection and number, 8 hexadecimal digits each. */
const TOKEN = 16;
const LETTER_AT = TOKEN;
const HEX = Buffer.from("0123456789abcdef");

/** The filling of a content of so many bytes, with the operation's letter in its place. */
export function blank(length: number, letter: string): Buffer {
  const content = Buffer.alloc(length, "moe soak ");
  content.write(letter, LETTER_AT);
  return content;
}

function writeHex(bytes: Buffer, at: number, value: number): void {
  for (let i = 7; i >= 0; i--) {
    bytes[at + i] = HEX[value & 15];
    value >>>= 4;
  }
}

/** Names the request in the content that begins at `from`. */
export function stamp(bytes: Buffer, from: number, length: number, connection: number, number: number): void {
  writeHex(bytes, from, connection);
  writeHex(bytes, from + 8, number);
  bytes.copy(bytes, from + length - TOKEN, from, from + TOKEN);
}

/** The operation of the content that begins at `from`. */
export function letterOf(bytes: Buffer, from: number): string {
  return String.fromCharCode(bytes[from + LETTER_AT]);
}

const token = Buffer.alloc(TOKEN);

/** Whether the content is that of this request, byte for byte; `filling` is its blank. */
export function isContentOf(
  bytes: Buffer,
  from: number,
  length: number,
  filling: Buffer,
  connection: number,
  number: number,
): boolean {
  if (length !== filling.length) return false;
  writeHex(token, 0, connection);
  writeHex(token, 8, number);
  const end = length - TOKEN;
  return (
    bytes.compare(token, 0, TOKEN, from, from + TOKEN) === 0 &&
    bytes.compare(token, 0, TOKEN, from + end, from + length) === 0 &&
    bytes.compare(filling, TOKEN, end, from + TOKEN, from + end) === 0
  );
}
