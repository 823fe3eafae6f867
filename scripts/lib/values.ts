// What was read from JSON or YAML.

/** Whether a value is an object, and no list. */
export function isObject<V = unknown>(value: unknown): value is Record<string, V> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
