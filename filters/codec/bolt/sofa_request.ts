// What a server of SOFARPC reads out of the content of a request in Hessian: a SofaRequest, which names method and service
// itself, then the arguments. For the method it does not look at the header (SofaRequestHessianSerializer).
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { load16be } from "../../../assembly/bytes/memory";
import { View } from "../../../assembly/bytes/view";
import { DraftTag, HESSIAN_2, HESSIAN_2_DRAFT, Kind } from "../../../assembly/hessian/dialect";
import { Tag } from "../../../assembly/hessian/tags";
import { SofaObjectReader } from "./sofa_object";

/** The class of the content, as the frame names it. */
export const SOFA_REQUEST: Bytes = Bytes.of("com.alipay.sofa.rpc.core.request.SofaRequest");

const METHOD_NAME = Bytes.of("methodName");
const SERVICE_NAME = Bytes.of("targetServiceUniqueName");
/** Methods of SOFARPC's GenericService: their first argument is the name of the method that is meant. */
const INVOKE = Bytes.of("$invoke");
const GENERIC_INVOKE = Bytes.of("$genericInvoke");

const NONE: i32 = -1;

/** What was found. */
export const enum Found {
  /** No SofaRequest: whatever a server does with it, it carries out no call. */
  NOTHING,
  REQUEST,
  /** A server could read a SofaRequest here, and other names in it than we do. */
  ODD,
}

/** What Java's clients begin with: the class, its fields in this order, the object. */
const USUAL: Bytes = usual();
const USUAL_FIELDS: i32 = 5;
const USUAL_METHOD: i32 = 1;
const USUAL_SERVICE: i32 = 2;

function usual(): Bytes {
  const out = new ByteBuffer();
  const fields = ["targetAppName", "methodName", "targetServiceUniqueName", "requestProps", "methodArgSigs"];
  out.appendByte(0x4f); // 'O'
  appendText(out, SOFA_REQUEST, 0x90); // the length is an int
  out.appendByte(0x90 + fields.length);
  for (let i = 0; i < fields.length; i++) appendText(out, Bytes.of(unchecked(fields[i])), 0);
  out.appendByte(0x6f); // 'o', of class 0
  out.appendByte(0x90);
  const bytes = Bytes.copy(out.ptr, out.length);
  out.free();
  return bytes;
}

function appendText(out: ByteBuffer, text: Bytes, base: i32): void {
  out.appendByte(base + text.length);
  out.append(text.ptr, text.length);
}

/** Reads the names in a SofaRequest; what comes behind them is looked at only where it means the method. */
export class SofaRequestReader extends SofaObjectReader {
  /** The method, empty where there is none; borrowed from the content. */
  readonly method: View = new View();
  /** The same of the service. */
  readonly service: View = new View();
  /** The method that a generic call means, where `method` is one of GenericService's. */
  readonly meant: View = new View();
  /** Where the two fields are. */
  private methodAt: i32 = NONE;
  private serviceAt: i32 = NONE;
  /** Whether the class that is being read is the SofaRequest. */
  private isRequest: bool = false;

  /** Reads the names in the `length` bytes at `ptr`, borrowed. */
  read(ptr: usize, length: i32): Found {
    this.method.set(0, 0);
    this.service.set(0, 0);
    this.meant.set(0, 0);
    if (USUAL.isPrefixOf(ptr, length)) {
      this.bind(HESSIAN_2_DRAFT, ptr + (USUAL.length as usize), length - USUAL.length);
      this.count = USUAL_FIELDS;
      this.methodAt = USUAL_METHOD;
      this.serviceAt = USUAL_SERVICE;
    } else {
      this.start(ptr, length);
      const found = this.begin();
      if (found != Found.REQUEST) return found;
    }
    const last = max(this.methodAt, this.serviceAt);
    for (let i = 0; i <= last; i++) {
      const isName = i == this.methodAt || i == this.serviceAt;
      if (isName ? !this.name(i == this.methodAt ? this.method : this.service) : !this.skipField()) return Found.ODD;
    }
    return !this.isGeneric || this.readMeant(this.count - 1 - last) ? Found.REQUEST : Found.ODD;
  }

  /** Whether the method is one of GenericService's. */
  get isGeneric(): bool {
    const method = this.method;
    if (method.length == 0 || load<u8>(method.ptr) != 0x24) return false;
    return INVOKE.equals(method.ptr, method.length) || GENERIC_INVOKE.equals(method.ptr, method.length);
  }

  /** Reads classes, then the beginning of an object of one of them. */
  private begin(): Found {
    let request = NONE;
    let count = 0;
    for (let classes = 0; this.kind == Kind.DEFINITION || this.kind == Kind.DRAFT_DEFINITION; classes++) {
      if (!this.mayBeClass) return Found.NOTHING;
      if (!this.readClass()) return Found.ODD;
      this.isRequest = this.names.is(SOFA_REQUEST);
      if (this.isRequest) {
        if (request != NONE) return Found.ODD;
        request = classes;
        this.methodAt = this.serviceAt = NONE;
      }
      if (!this.readFields()) return Found.ODD;
      if (this.isRequest) count = this.count;
    }
    this.count = count;
    const kind = this.kind;
    // A map with the class as its type makes the same object.
    if (kind == Kind.MAP || kind == Kind.DRAFT_MAP) return this.isRequestMap(kind) ? Found.ODD : Found.NOTHING;
    if (kind != Kind.OBJECT && kind != Kind.OBJECT_DIRECT) return Found.NOTHING;
    const index = this.readObject();
    // Without the class before it no object is a SofaRequest, whatever follows: text may begin like one.
    if (index < 0) return request == NONE ? Found.NOTHING : Found.ODD;
    return index == request ? Found.REQUEST : Found.NOTHING;
  }

  /** Of a field that is there twice Java keeps the last value, others the first. */
  protected onField(i: i32): bool {
    if (!this.isRequest) return true;
    if (this.names.is(METHOD_NAME)) {
      if (this.methodAt != NONE) return false;
      this.methodAt = i;
    } else if (this.names.is(SERVICE_NAME)) {
      if (this.serviceAt != NONE) return false;
      this.serviceAt = i;
    }
    return true;
  }

  /** Whether what is behind the tag of a definition may be a name, or its length, also as lenient readers have it. */
  private get mayBeClass(): bool {
    if (this.end - this.at < 2) return false;
    const kind = this.dialect.kindOf(load<u8>(this.at, 1));
    return (
      kind == Kind.FIXED || (this.kind == Kind.DEFINITION && kind >= Kind.STRING_DIRECT && kind <= Kind.STRING_CHUNK)
    );
  }

  private isRequestMap(kind: Kind): bool {
    const names = this.names;
    const at = this.at + 1;
    // In both versions: which one a server reads is not to be seen.
    if (names.skip(HESSIAN_2, at, this.end) != 0 && names.is(SOFA_REQUEST)) return true;
    if (this.end - at < 3 || load<u8>(at) != DraftTag.TYPE) return false;
    return names.skipUnits(at + 3, this.end, load16be(at + 1) as i32) != 0 && names.is(SOFA_REQUEST);
  }

  /** Reads a null, or a string that is spelled in one way only. */
  private name(out: View): bool {
    if (this.at < this.end && load<u8>(this.at) == Tag.NULL) {
      this.at++;
      return true;
    }
    if (!this.skipString() || !this.names.readPlain()) return false;
    out.set(this.names.name.ptr, this.names.name.length);
    return true;
  }

  /** Reads the first argument, behind so many fields. */
  private readMeant(fields: i32): bool {
    for (let i = 0; i < fields; i++) if (!this.skipField()) return false;
    return this.name(this.meant) && this.meant.length > 0;
  }

  /** Skips a value; of what contains others only the draft's maps and lists, and in them again. */
  private skipField(): bool {
    let depth = 0;
    do {
      const kind = this.kind;
      if (kind == Kind.DRAFT_MAP || kind == Kind.DRAFT_LIST) {
        depth++;
        this.at++;
        if (!this.skipHead(kind)) return false;
      } else if (kind == Kind.END) {
        if (--depth < 0) return false;
        this.at++;
      } else if (!this.skipPlain()) {
        return false;
      }
    } while (depth > 0);
    return true;
  }

  /** Skips the type of a map or list, if there is one, and the length of a list. */
  private skipHead(kind: Kind): bool {
    if (this.at >= this.end) return false;
    let tag = load<u8>(this.at);
    if (tag == DraftTag.TYPE) {
      this.at++;
      if (!this.readBytes(2)) return false;
      const next = this.names.skipUnits(this.at, this.end, this.value);
      if (next == 0) return false;
      this.at = next;
    } else if (tag == DraftTag.TYPE_REFERENCE) {
      this.at++;
      if (!this.readInt()) return false;
    }
    if (kind == Kind.DRAFT_MAP || this.at >= this.end) return true;
    tag = load<u8>(this.at);
    if (tag != DraftTag.LENGTH && tag != DraftTag.LENGTH_BYTE) return true;
    this.at++;
    return this.readBytes(tag == DraftTag.LENGTH ? 4 : 1);
  }
}
