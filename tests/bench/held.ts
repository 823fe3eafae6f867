// Requests that are to be held: they have this header, by which a filter knows them, and this content, by which RPC servers
// know that they are not to answer.

export const HELD_HEADER: [name: string, value: string] = ["hold", "yes"];
export const HELD_SIZE = 16;

/** What the load generator is told when all of them are. */
export const HELD = "held";
