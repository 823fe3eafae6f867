import { ObjectReader } from "../../../assembly/config/object";
import { ClassCheck } from "../../../assembly/hessian/class_walk";
import { FilterConfig } from "../../../assembly/stream/filter";
import { builtin } from "./builtin";
import { ClassSet } from "./class_set";

const MODES: string[] = ["enforce", "report"];
const OTHERS: string[] = ["deny", "pass"];
const VERSIONS: string[] = ["auto", "3", "4"];

/** The version of sofa-hessian at Bolt's ends: places in `VERSIONS`. */
export const enum SofaHessian {
  AUTO = 0,
  /** The draft of Hessian 2.0. */
  V3 = 1,
  V4 = 2,
}

/** The classes that may be. */
class AllowList extends ClassCheck {
  constructor(
    private readonly own: ClassSet,
    private readonly common: ClassSet | null,
  ) {
    super();
  }

  allows(ptr: usize, length: i32): bool {
    const common = this.common;
    return (common !== null && common.has(ptr, length)) || this.own.has(ptr, length);
  }
}

/** Configuration of `hessian_allowlist`. */
export class HessianAllowlistConfig extends FilterConfig {
  /** What would be denied passes, and is counted. */
  readonly onlyReports: bool;
  /** What is no Hessian passes. */
  readonly passesOthers: bool;
  /** Responses are looked at too. */
  readonly responses: bool;
  readonly sofaHessian: SofaHessian;
  readonly check: ClassCheck;

  constructor(from: ObjectReader) {
    super();
    this.onlyReports = from.choice("mode", 0, MODES) == 1;
    this.passesOthers = from.choice("other", 0, OTHERS) == 1;
    this.responses = from.bool("responses", false);
    this.sofaHessian = from.choice("sofa_hessian", 0, VERSIONS) as SofaHessian;
    const common = from.bool("builtin", true) ? builtin() : null;
    const own = new ClassSet(from.strings("allow"));
    this.check = new AllowList(own, common);
    const expected = 'expected a class or a package such as "com.example.Order" or "com.example.*"';
    from.failStrings("allow", own.wrong, expected);
    from.finish();
  }
}
