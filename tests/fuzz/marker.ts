// Texts in contents that tell where a request came from and which answer is whose; damaged ones are told by a checksum.

export interface Marker {
  /** Number of the client connection. */
  client: number;
  /** Number of the message on it. */
  message: number;
  /** Whether it is in an answer of a server that keeps to the protocol, and so has to be where it belongs. */
  honest: boolean;
}

const START = "~M";
const LENGTH = 25;
const [TILDE, BIG_M] = Buffer.from(START);
const SHAPE = /^~M([QHS])([0-9a-z]{7})([0-9a-z]{7})([0-9a-z]{7})~/;

/** `kind`: Q in requests, H in answers, S in answers that a hostile server may have put anywhere. */
function text(kind: "Q" | "H" | "S", client: number, message: number): string {
  return `${START}${kind}${digits(client)}${digits(message)}${digits(sum(kind, client, message))}~`;
}

function digits(value: number): string {
  return value.toString(36).padStart(7, "0");
}

function sum(kind: string, client: number, message: number): number {
  const mixed = Math.imul(client + 1, 0x9e3779b1) ^ Math.imul(message + 1, 0x85ebca6b) ^ (kind.charCodeAt(0) << 20);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

export const requestText = (client: number, message: number): string => text("Q", client, message);
export const answerText = (to: Marker, honest: boolean): string => text(honest ? "H" : "S", to.client, to.message);

/** The first whole marker of a request (or of an answer) in the bytes. */
export function findMarker(bytes: Buffer, answer: boolean): Marker | null {
  for (let at = bytes.indexOf(TILDE); at >= 0; at = bytes.indexOf(TILDE, at + 1)) {
    if (bytes[at + 1] !== BIG_M || at + LENGTH > bytes.length) continue;
    const found = SHAPE.exec(bytes.toString("latin1", at, at + LENGTH));
    if (found === null || (found[1] !== "Q") !== answer) continue;
    const [client, message] = [parseInt(found[2], 36), parseInt(found[3], 36)];
    if (sum(found[1], client, message) !== parseInt(found[4], 36)) continue;
    return { client, message, honest: found[1] === "H" };
  }
  return null;
}
