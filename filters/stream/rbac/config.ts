import { View } from "../../../assembly/bytes/view";
import { ObjectReader } from "../../../assembly/config/object";
import { protoFields } from "../../../assembly/config/proto_fields";
import { Admission, FilterConfig } from "../../../assembly/stream/filter";
import { Subject } from "./conditions";
import { Engine } from "./engine";
import { RulesReader } from "./read_rules";

const stranger = new Subject();

/** Configuration of `rbac`: Envoy's message RBAC with MOSN's `version`. */
export class RbacConfig extends FilterConfig {
  /** Null: nobody is denied. */
  readonly rules: Engine | null;
  /** These are asked, and counted, and deny nothing. */
  readonly shadow: Engine | null;

  /** @param http whether it is for requests of HTTP */
  constructor(from: ObjectReader, http: bool) {
    super();
    protoFields(from);
    // MOSN demands one and does nothing with it.
    from.string("version");
    const reader = new RulesReader(http);
    this.rules = from.has("rules") ? reader.engine(from.object("rules")) : null;
    this.shadow = from.has("shadow_rules") ? reader.engine(from.object("shadow_rules")) : null;
    from.finish();
  }

  /**
   * What is no request has no header, so that most policies cannot be asked about it. Heartbeats pass unless the address
   * alone denies; raw bytes reach a server, so they have to be allowed for certain.
   */
  admits(address: View, raw: bool): Admission {
    const rules = this.rules;
    if (rules === null) return Admission.GRANTED;
    stranger.source.set(address.ptr, address.length);
    if (rules.allows(stranger)) return Admission.GRANTED;
    if (!rules.undecided) return Admission.DENIED;
    return raw ? Admission.UNDECIDED : Admission.GRANTED;
  }
}
