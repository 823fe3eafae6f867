// Headers that the load generator gives to some requests.

export type Header = [name: string, value: string];

/** Requests that are to be held: a filter knows them by this, and RPC servers by the size of their content. */
export const HELD_HEADER: Header = ["hold", "yes"];
export const HELD_SIZE = 16;

/** What the load generator is told when all of them are. */
export const HELD = "held";

/** Requests for many resources: the digits are those of each request's own. */
export const RESOURCE_HEADER: Header = ["resource", "resource-00000"];
export const RESOURCE_DIGITS = 5;
