import { StreamHandler } from "../../../assembly/stream/handler";
import { Provider } from "./provider";
import { Reason } from "./reason";

/** The request at hand: which providers' tokens were good, and whose keys have to be fetched. */
export class Judgement {
  readonly good: Provider[] = [];
  fetch: Provider | null = null;

  begin(): void {
    this.good.length = 0;
    this.fetch = null;
  }
}

/** What a request has to have: one of `requires`. The depth is that of the configuration. */
export abstract class Requirement {
  /** NONE, or why it has not, or FETCH and the provider in `out`. */
  abstract test(handler: StreamHandler, out: Judgement): Reason;
}

function testProvider(provider: Provider, audiences: string[] | null, handler: StreamHandler, out: Judgement): Reason {
  const reason = provider.check(handler, audiences);
  if (reason == Reason.NONE) {
    if (!out.good.includes(provider)) out.good.push(provider);
  } else if (reason == Reason.FETCH) out.fetch = provider;
  return reason;
}

/** The token of one provider. */
export class OfProvider extends Requirement {
  constructor(
    readonly provider: Provider,
    private readonly audiences: string[] | null,
  ) {
    super();
  }

  test(handler: StreamHandler, out: Judgement): Reason {
    return testProvider(this.provider, this.audiences, handler, out);
  }
}

/** No token of any of these providers, or a good one; `failed`: or a bad one. */
export class Optional extends Requirement {
  constructor(
    private readonly providers: Provider[],
    readonly failed: bool,
  ) {
    super();
  }

  test(handler: StreamHandler, out: Judgement): Reason {
    let result = Reason.NONE;
    let good = false;
    for (let i = 0, n = this.providers.length; i < n; i++) {
      const reason = testProvider(unchecked(this.providers[i]), null, handler, out);
      if (reason == Reason.FETCH) return reason;
      if (reason == Reason.NONE) good = true;
      else if (reason != Reason.MISSING) result = reason;
    }
    return good || this.failed ? Reason.NONE : result;
  }
}

/** One of these. `allow_missing` among them is about the tokens of the others: a bad one is not missing. */
export class AnyOf extends Requirement {
  private readonly parts: Requirement[] = [];
  private missing: bool = false;
  private failed: bool = false;

  constructor(parts: Requirement[]) {
    super();
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i];
      if (part instanceof Optional) {
        this.missing = true;
        if ((part as Optional).failed) this.failed = true;
      } else this.parts.push(part);
    }
  }

  test(handler: StreamHandler, out: Judgement): Reason {
    let result = Reason.MISSING;
    for (let i = 0, n = this.parts.length; i < n; i++) {
      const reason = unchecked(this.parts[i]).test(handler, out);
      if (reason == Reason.NONE || reason == Reason.FETCH) return reason;
      if (reason != Reason.MISSING) result = reason;
    }
    return this.failed || (this.missing && result == Reason.MISSING) ? Reason.NONE : result;
  }
}

export class AllOf extends Requirement {
  constructor(private readonly parts: Requirement[]) {
    super();
  }

  test(handler: StreamHandler, out: Judgement): Reason {
    let result = Reason.NONE;
    for (let i = 0, n = this.parts.length; i < n; i++) {
      const reason = unchecked(this.parts[i]).test(handler, out);
      // Behind one that is missing there may be a bad one.
      if (reason != Reason.NONE && reason != Reason.MISSING) return reason;
      if (reason == Reason.MISSING) result = reason;
    }
    return result;
  }
}
