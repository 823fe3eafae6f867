import { Bytes } from "../../../assembly/bytes/bytes";
import { Verdict } from "../../../assembly/policy/verdict";
import { Condition, Subject } from "./conditions";

export const enum Action {
  ALLOW = 0,
  DENY = 1,
  /** Nothing is denied, but what matches is counted and logged. */
  LOG = 2,
}

/** One of `policies`: what may be done, and by whom. */
export class Policy {
  /** What access logs are told of a request that it denies. */
  readonly why: Bytes;

  constructor(
    readonly name: Bytes,
    private readonly permissions: Condition,
    private readonly principals: Condition,
  ) {
    this.why = reason(name.toString());
  }

  test(subject: Subject): Verdict {
    const may = this.permissions.test(subject);
    if (may == Verdict.NO) return may;
    const who = this.principals.test(subject);
    return who == Verdict.NO || may == Verdict.YES ? who : Verdict.UNKNOWN;
  }
}

/** Envoy's words for it; they have no spaces. */
function reason(name: string): Bytes {
  return Bytes.of("rbac_access_denied_matched_policy[" + name.replaceAll(" ", "_") + "]");
}

const NO_POLICY = reason("none");

/** `rules` or `shadow_rules`. */
export class Engine {
  /** The policy that decided; null: none matched, or may match. */
  policy: Policy | null = null;
  /** Whether it could not be told if some policy matches, and that decided. */
  undecided: bool = false;

  constructor(
    readonly action: Action,
    private readonly policies: Policy[],
  ) {}

  /** Whether a request may pass; what cannot be told denies. */
  allows(subject: Subject): bool {
    this.policy = null;
    this.undecided = false;
    let unknown = false;
    for (let i = 0, n = this.policies.length; i < n; i++) {
      const policy = unchecked(this.policies[i]);
      const verdict = policy.test(subject);
      if (verdict == Verdict.YES) {
        this.policy = policy;
        return this.action != Action.DENY;
      }
      if (verdict == Verdict.UNKNOWN) unknown = true;
    }
    if (this.action == Action.LOG) return true;
    this.undecided = unknown;
    return this.action == Action.DENY && !unknown;
  }

  /** After a request was denied: what access logs are told. */
  get why(): Bytes {
    const policy = this.policy;
    return policy !== null ? policy.why : NO_POLICY;
  }
}
