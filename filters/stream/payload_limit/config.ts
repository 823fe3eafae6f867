import { ObjectReader } from "../../../assembly/config/object";
import { FilterConfig } from "../../../assembly/stream/filter";

/** MOSN's key for the size ends with a space (v2.StreamPayloadLimit); the one that was meant is good, too. */
const SIZE: string = "max_entity_size";
const SIZE_OF_MOSN: string = "max_entity_size ";
const TOO_LARGE: i64 = 413;

/** Configuration of `payload_limit`, MOSN's v2.StreamPayloadLimit. */
export class PayloadLimitConfig extends FilterConfig {
  /** Largest body, bytes; 0: no limit. */
  readonly maxSize: i32;
  /** MOSN's code of the answer to a larger one. */
  readonly status: i32;

  constructor(from: ObjectReader) {
    super();
    const theirs = from.integer(SIZE_OF_MOSN, 0, 0, i32.MAX_VALUE);
    const size = from.integer(SIZE, theirs, 0, i32.MAX_VALUE);
    if (from.has(SIZE_OF_MOSN) && size != theirs && !from.isWrong(SIZE)) {
      from.fail(SIZE_OF_MOSN, `contradicts ${SIZE}, which is ${size}`);
    }
    this.maxSize = size as i32;
    this.status = from.integer("http_status", TOO_LARGE, 100, 999) as i32;
    from.finish();
  }

  get readsRequestBody(): bool {
    return this.maxSize > 0;
  }
}
