import { isDigit } from "../../../assembly/bytes/ascii";
import { View } from "../../../assembly/bytes/view";

/** Versions of the protocol whose clients read results with attachments: 2.0.2 to 2.0.99 (Dubbo's Version). */
const LOWEST: i64 = 2000200;
const HIGHEST: i64 = 2009900;
/** Beyond all versions. */
const MOST: i64 = 1000000000;

/**
 * Whether a client that names this version of Dubbo's protocol reads results with attachments. Dubbo's own rule
 * (Version.isSupportResponseAttachment): two digits for each part of the number, and four of those are one with patches.
 */
export function readsAttachments(version: View): bool {
  let number: i64 = 0;
  let parts = 0;
  let at = 0;
  while (at < version.length) {
    let part: i64 = 0;
    let leading = true;
    while (at < version.length) {
      const c = load<u8>(version.ptr + (at++ as usize)) as u32;
      if (c == 0x2e) break;
      leading = leading && isDigit(c);
      if (leading) part = min(part * 10 + ((c - 0x30) as i64), MOST);
    }
    number = min(number * 100 + part, MOST);
    parts++;
  }
  if (parts == 3) number *= 100;
  return number >= LOWEST && number <= HIGHEST;
}
