// What clients, servers and time do to the HTTP filter, so that it can be done again: one event after the other.

/** Header pairs; each character is a byte. */
export type Pairs = [name: string, value: string][];

export type Protocol = "HTTP/1.1" | "HTTP/2";

/** An exchange is named by its number in the round, a callout too. */
export type HttpEvent =
  /** The round's configuration: index of the world. */
  | ["world", world: number]
  | ["request", exchange: number, protocol: Protocol, bufferLimit: number, headers: Pairs, end: boolean]
  /** A piece of the request's body, its trailers, its client's going. */
  | ["write", exchange: number, hex: string, end: boolean]
  | ["trailers", exchange: number, trailers: Pairs]
  | ["cancel", exchange: number]
  /** The server's. */
  | ["answer", exchange: number, headers: Pairs, end: boolean]
  | ["data", exchange: number, hex: string, end: boolean]
  | ["end", exchange: number, trailers: Pairs]
  | ["fail", exchange: number]
  | ["callout", callout: number, how: "respond" | "break" | "local"]
  | ["healthy", cluster: string, healthy: boolean]
  | ["advance", ms: number];
