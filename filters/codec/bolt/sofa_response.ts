// What SOFARPC answers in a Bolt response with a good status: a SofaResponse, which may be an error or an exception.
import { Bytes } from "../../../assembly/bytes/bytes";
import { SofaObjectReader } from "./sofa_object";

/** The class of the content, as the frame names it. */
export const SOFA_RESPONSE: Bytes = Bytes.of("com.alipay.sofa.rpc.core.response.SofaResponse");

const IS_ERROR = Bytes.of("isError");
const APP_RESPONSE = Bytes.of("appResponse");
/** Fields that every Throwable of Java has, and that sofa-bolt-node writes of an Error. */
const MESSAGE = Bytes.of("detailMessage");
const TRACE = Bytes.of("stackTrace");

const TRUE: u8 = 0x54;

/** Reads the beginning of a SofaResponse: up to the class of what the service returned. */
export class SofaResponseReader extends SofaObjectReader {
  /** Where these fields are; -1: the class has none. */
  private errorAt: i32 = -1;
  private responseAt: i32 = -1;
  /** Whether the class has these fields. */
  private message: bool = false;
  private trace: bool = false;

  /**
   * Whether the response of `length` bytes at `ptr` is an error of SOFARPC's (`isError`), or an exception of the service
   * (`appResponse` is a Throwable). False where it cannot be read so far.
   */
  isFailure(ptr: usize, length: i32): bool {
    this.start(ptr, length);
    if (!this.readDefinition() || this.readObject() != 0) return false;
    const count = this.count;
    const errorAt = this.errorAt;
    const responseAt = this.responseAt;
    for (let i = 0; i < count && this.at < this.end; i++) {
      if (i == errorAt && load<u8>(this.at) == TRUE) return true;
      if (i == responseAt) return this.readDefinition() && this.message && this.trace;
      if (!this.skipPlain()) return false;
    }
    return false;
  }

  private readDefinition(): bool {
    this.errorAt = this.responseAt = -1;
    this.message = this.trace = false;
    return this.readClass() && this.readFields();
  }

  protected onField(i: i32): bool {
    const names = this.names;
    if (names.is(IS_ERROR)) this.errorAt = i;
    else if (names.is(APP_RESPONSE)) this.responseAt = i;
    else if (names.is(MESSAGE)) this.message = true;
    else if (names.is(TRACE)) this.trace = true;
    return true;
  }
}
