import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { MAX_PAIRS } from "../../../assembly/message/list";
import { Body, Kind, Step } from "./body";

/** Attachments, beside which a request has four headers. */
const MOST: i32 = MAX_PAIRS - 4;

const PATH = Bytes.of("path");
const VERSION = Bytes.of("version");
const GROUP = Bytes.of("group");
const TIMEOUT = Bytes.of("timeout");

// What has been seen.
const SAW_PATH: u32 = 1;
const SAW_VERSION: u32 = 2;
const SAW_GROUP: u32 = 4;

/** What the attachments of a request came to. */
export const enum Found {
  ALL,
  /** They cannot be read. */
  NOTHING,
  AMBIGUOUS,
  TOO_MANY,
}

/** What the proxy itself wants of the attachments of a request. */
export class Attachments {
  /** Milliseconds; 0 where there is none. */
  timeout: i32 = 0;
  /** The service that servers go by, which is this one where it is there; length 0 where it is not. */
  readonly path: View = new View();

  /**
   * Reads all of them. Servers (Dubbo 2.7, 3, dubbo-go) make a map of them, in which the last value of a key counts, and
   * look for `path`, `version` and `group` there: these may come once, as a string or null.
   */
  read(body: Body): Found {
    this.timeout = 0;
    this.path.set(body.at, 0);
    let step = body.open();
    let seen: u32 = 0;
    for (let pairs = 0; step == Step.PAIR; pairs++) {
      step = body.next();
      if (step != Step.PAIR) break;
      if (pairs == MOST) return Found.TOO_MANY;
      const name = body.keyed ? nameOf(body.key) : 0;
      if (name != 0) {
        body.settle();
        if ((seen & name) != 0 || (body.kind != Kind.TEXT && body.kind != Kind.NULL)) return Found.AMBIGUOUS;
        seen |= name;
        if (name == SAW_PATH && body.kind == Kind.TEXT) this.path.set(body.value.ptr, body.value.length);
      } else if (body.keyed && TIMEOUT.equals(body.key.ptr, body.key.length)) {
        body.settle();
        this.timeout = min(body.number(), i32.MAX_VALUE as i64) as i32;
      }
    }
    if (step == Step.END) return Found.ALL;
    return step == Step.AMBIGUOUS ? Found.AMBIGUOUS : Found.NOTHING;
  }
}

function nameOf(key: View): u32 {
  switch (key.length) {
    case 4:
      return PATH.equals(key.ptr, key.length) ? SAW_PATH : 0;
    case 5:
      return GROUP.equals(key.ptr, key.length) ? SAW_GROUP : 0;
    case 7:
      return VERSION.equals(key.ptr, key.length) ? SAW_VERSION : 0;
    default:
      return 0;
  }
}
