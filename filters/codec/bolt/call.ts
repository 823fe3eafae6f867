// Which call a request is: its service and method, as the server takes them.
import { Frame, FrameError } from "../../../assembly/xprotocol/frame";
import { BlockNames } from "./headers";
import { Found, SOFA_REQUEST, SofaRequestReader } from "./sofa_request";

/** Reads the names of requests. One object is reused for all of them. */
export class CallReader {
  private readonly names: BlockNames = new BlockNames();
  private readonly request: SofaRequestReader = new SofaRequestReader();

  /**
   * Sets service and method of `frame`, whose class starts at offset `fixed`, and whether its call is generic. Not NONE
   * where a server would read it differently from another one, or from us.
   */
  read(frame: Frame, fixed: i32, isHessian: bool): FrameError {
    const names = this.names;
    const classLength = frame.headerOffset - fixed;
    const isSofa = SOFA_REQUEST.equals(frame.ptr + (fixed as usize), classLength);
    // What others put there is their own affair; of a broken block SOFARPC would take what it can read.
    if (!names.read(frame) && isSofa) return FrameError.HEADERS;
    const service = names.service;
    const target = names.target;
    if (service.says && target.says && !service.same(target)) return FrameError.AMBIGUOUS;
    frame.generic = names.generic.length > 0;
    frame.serviceOffset = fixed;
    frame.serviceLength = classLength;
    if (target.says) setService(frame, target.ptr, target.length);
    setMethod(frame, names.method.ptr, names.method.length);
    if (isSofa && isHessian && !this.readContent(frame)) return FrameError.AMBIGUOUS;
    if (service.says) setService(frame, service.ptr, service.length);
    return FrameError.NONE;
  }

  /** Sets what the content names. False where it is odd, or names another method than the header. */
  private readContent(frame: Frame): bool {
    const request = this.request;
    const names = this.names;
    const found = request.read(frame.ptr + (frame.contentOffset as usize), frame.contentLength);
    if (found != Found.REQUEST) return found == Found.NOTHING;
    if (names.method.present && !names.method.same(request.method)) return false;
    const method = request.isGeneric ? request.meant : request.method;
    if (request.isGeneric) frame.generic = true;
    setMethod(frame, method.ptr, method.length);
    // Without a name in the header it is the content's; a blank one is one, and the target then does not count.
    const named = names.target.says && !names.service.present;
    if (!named && request.service.length > 0) setService(frame, request.service.ptr, request.service.length);
    return true;
  }
}

function setService(frame: Frame, ptr: usize, length: i32): void {
  frame.serviceOffset = (ptr - frame.ptr) as i32;
  frame.serviceLength = length;
}

function setMethod(frame: Frame, ptr: usize, length: i32): void {
  frame.methodOffset = length > 0 ? ((ptr - frame.ptr) as i32) : 0;
  frame.methodLength = length;
}
