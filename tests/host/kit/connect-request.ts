// What a request of the module has to look like, and which one is a question.
import { ErrorCode, Http2Error } from "./http2/frames.ts";
import type { HeaderList } from "./http2/hpack.ts";

/** Whether a CONNECT asks for nothing but an answer, with which a drain would be announced. */
export function isQuestion(headers: HeaderList): boolean {
  return headers.some(([name, value]) => name === "x-moe-ask" && value === "drain");
}

/** RFC 9113 section 8.5: a CONNECT has :authority, but neither :scheme nor :path; pseudo headers first, lower case. */
export function checkConnect(headers: HeaderList): void {
  const names = headers.map(([name]) => name);
  const pseudo = names.filter((name) => name.startsWith(":"));
  const method = headers.find(([name]) => name === ":method")?.[1];
  const shape = [...pseudo].sort().join() === ":authority,:method" && pseudo.every((name, i) => names[i] === name);
  if (method !== "CONNECT" || !shape || names.some((name) => name !== name.toLowerCase())) {
    throw new Http2Error(ErrorCode.PROTOCOL_ERROR, `not a CONNECT request: ${JSON.stringify(headers)}`);
  }
}

/** Envoy's RBAC filter before the routes: what is wrong with the key that a CONNECT carries, if Envoy has this one; null: nothing. */
export function wrongKey(headers: HeaderList, given: Buffer | null): string | null {
  const keys = headers.filter(([name]) => name === "moe-key").map(([, value]) => value);
  if (given === null) return keys.length > 0 ? `a CONNECT carries the key "${keys.join()}", Envoy has none` : null;
  return keys.length === 1 && keys[0] === given.toString()
    ? null
    : `a CONNECT carries the key "${keys.join()}", Envoy has "${given.toString()}"`;
}
