// Names of files for services.
import { createHash } from "node:crypto";

const MAX_FILE_NAME = 180;

/** A file name for any text, one for each. */
export function fileName(text: string): string {
  const safe = text.replace(/[^A-Za-z0-9._-]/g, (one) =>
    [...Buffer.from(one)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  );
  if (safe.length <= MAX_FILE_NAME && !safe.startsWith(".")) return safe;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return `${safe.replace(/^\.+/, "").slice(0, MAX_FILE_NAME - 20)}-${hash}`;
}
