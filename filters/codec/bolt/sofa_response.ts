// What SOFARPC answers in a Bolt response with a good status: a SofaResponse, which may be an error or an exception.
import { Bytes } from "../../../assembly/bytes/bytes";
import { Cursor } from "../../../assembly/hessian/cursor";
import { Dialect, HESSIAN_2, HESSIAN_2_DRAFT, Kind } from "../../../assembly/hessian/dialect";
import { NameReader } from "../../../assembly/hessian/names";

/** The class of the content, as the frame names it. */
export const SOFA_RESPONSE: Bytes = Bytes.of("com.alipay.sofa.rpc.core.response.SofaResponse");

const IS_ERROR = Bytes.of("isError");
const APP_RESPONSE = Bytes.of("appResponse");
/** Fields that every Throwable of Java has, and that sofa-bolt-node writes of an Error. */
const MESSAGE = Bytes.of("detailMessage");
const TRACE = Bytes.of("stackTrace");

/** Most fields of a class that are looked at; Throwable has four, and an exception's own come before or behind. */
const MAX_FIELDS: i32 = 64;
const TRUE: u8 = 0x54;

/** Where a field of a SofaResponse is; -1: it has none. */
class Fields {
  count: i32 = 0;
  isError: i32 = -1;
  appResponse: i32 = -1;
  /** Whether they are those of a Throwable. */
  throwable: bool = false;
}

/** Reads the beginning of a SofaResponse in Hessian 2 or its draft: up to the class of what the service returned. */
export class SofaResponseReader extends Cursor {
  private readonly names: NameReader = new NameReader();
  private readonly fields: Fields = new Fields();

  /**
   * Whether the response of `length` bytes at `ptr` is an error of SOFARPC's (`isError`), or an exception of the service
   * (`appResponse` is a Throwable). False where it cannot be read so far.
   */
  isFailure(ptr: usize, length: i32): bool {
    const draft = length > 0 && HESSIAN_2_DRAFT.kindOf(load<u8>(ptr)) == Kind.DRAFT_DEFINITION;
    this.bind(draft ? HESSIAN_2_DRAFT : HESSIAN_2, ptr, length);
    const fields = this.fields;
    if (!this.readDefinition() || !this.readObject()) return false;
    const count = fields.count;
    const isError = fields.isError;
    const appResponse = fields.appResponse;
    for (let i = 0; i < count && this.at < this.end; i++) {
      if (i == isError && load<u8>(this.at) == TRUE) return true;
      if (i == appResponse) return this.readDefinition() && fields.throwable;
      if (!this.skipPlain()) return false;
    }
    return false;
  }

  /** Reads the definition of a class into `fields`; false where none is next. */
  private readDefinition(): bool {
    if (this.at >= this.end) return false;
    const names = this.names;
    const kind = this.dialect.kindOf(load<u8>(this.at));
    this.at++;
    let next: usize = 0;
    if (kind == Kind.DRAFT_DEFINITION) next = this.readInt() ? names.skipUnits(this.at, this.end, this.value) : 0;
    else if (kind == Kind.DEFINITION) next = names.skip(this.dialect, this.at, this.end);
    if (next == 0) return false;
    this.at = next;
    return this.readInt() && this.readFields(this.value);
  }

  private readFields(count: i32): bool {
    const fields = this.fields;
    const names = this.names;
    fields.count = count;
    fields.isError = fields.appResponse = -1;
    fields.throwable = false;
    if (count < 0 || count > MAX_FIELDS) return false;
    let message: bool = false;
    let trace: bool = false;
    for (let i = 0; i < count; i++) {
      const next = names.skip(this.dialect, this.at, this.end);
      if (next == 0) return false;
      this.at = next;
      if (names.is(IS_ERROR)) fields.isError = i;
      else if (names.is(APP_RESPONSE)) fields.appResponse = i;
      else if (names.is(MESSAGE)) message = true;
      else if (names.is(TRACE)) trace = true;
    }
    fields.throwable = message && trace;
    return true;
  }

  /** Reads the beginning of the object of the only class so far. */
  private readObject(): bool {
    if (this.at >= this.end) return false;
    const tag = load<u8>(this.at) as i32;
    const kind = this.dialect.kindOf(tag);
    this.at++;
    if (kind == Kind.OBJECT_DIRECT) return (tag & 0xf) == 0;
    return kind == Kind.OBJECT && this.readInt() && this.value == 0;
  }

  /** Skips a string, or what is a tag and some bytes: nothing else comes before what is asked for. */
  private skipPlain(): bool {
    const dialect: Dialect = this.dialect;
    const tag = load<u8>(this.at) as i32;
    if (dialect.kindOf(tag) == Kind.FIXED) {
      const size = dialect.sizeOf(tag);
      if (size > this.end - this.at) return false;
      this.at += size;
      return true;
    }
    const next = this.names.skip(dialect, this.at, this.end);
    if (next == 0) return false;
    this.at = next;
    return true;
  }
}
