/** Types of the expression language (MOSN's pkg/cel/attribute/kind.go). */
export const enum Kind {
  NONE = 0,
  BOOL = 1,
  INT = 2,
  DOUBLE = 3,
  STRING = 4,
  TIMESTAMP = 5,
  DURATION = 6,
  /** Texts by texts: headers and query parameters. */
  MAP = 7,
  IP = 8,
  EMAIL = 9,
  URI = 10,
  DNS_NAME = 11,
  /** `ctx`, which has the methods that change the request. */
  CONTEXT = 12,
}

const NAMES: string[] = [
  "none",
  "bool",
  "int",
  "double",
  "string",
  "timestamp",
  "duration",
  "map",
  "ip",
  "email",
  "uri",
  "dnsName",
  "ctx",
];

/** The name of a type, for messages. */
export function kindName(kind: Kind): string {
  return NAMES[kind as i32];
}

/** Whether `==` and `!=` are defined for it. */
export function isComparable(kind: Kind): bool {
  return kind != Kind.NONE && kind != Kind.MAP && kind != Kind.CONTEXT;
}

/** Whether `<` and the like are defined for it. */
export function isOrdered(kind: Kind): bool {
  return kind >= Kind.BOOL && kind <= Kind.DURATION;
}
