/** Most that Envoy hands on of a body at once. */
const PIECE = 16 * 1024;

/** Bytes of a body as Envoy's codecs hand them on, each with whether it is the last: HTTP/1 tells the end apart. */
export function pieces(bytes: Buffer, end: boolean, protocol: string): [Buffer, boolean][] {
  const out: [Buffer, boolean][] = [];
  for (let at = 0; at < bytes.length; at += PIECE) out.push([bytes.subarray(at, at + PIECE), false]);
  if (!end) return out;
  if (protocol === "HTTP/1.1" || out.length === 0) out.push([Buffer.alloc(0), true]);
  else out[out.length - 1][1] = true;
  return out;
}
