import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { FlowVerdict } from "../../../assembly/sentinel/verdict";
import { Attachment, Resource } from "../../../assembly/sentinel/resource";
import { NamedMetrics } from "../../../assembly/stream/metrics";
import { reasonOf } from "./answer";
import { FlowControlConfig, TABLE } from "./config";
import { PluginUse } from "./live";

const VERDICTS: i32 = (FlowVerdict.UNKNOWN as i32) + 1;
/** The name where only rules on the system count. */
const NO_RESOURCE = Bytes.of("all");

const application = new View();
const view = new View();

/** What the filter keeps with a resource for each of the plugins whose requests ask for it. */
export class Known extends Attachment {
  /** The same of another plugin: with `live_rules` several use a resource. */
  next: Known | null = null;
  /** The texts of answers and of access logs by verdict, made when they are first needed. */
  private readonly texts: StaticArray<Bytes | null> = new StaticArray<Bytes | null>(VERDICTS);
  private readonly reasons: StaticArray<Bytes | null> = new StaticArray<Bytes | null>(VERDICTS);

  constructor(
    readonly name: Bytes,
    public plugin: PluginUse,
    public metrics: NamedMetrics,
    /** Rules name the resource. */
    readonly real: bool,
  ) {
    super();
  }

  text(config: FlowControlConfig, verdict: FlowVerdict): Bytes {
    const known = unchecked(this.texts[verdict as i32]);
    if (known !== null) return known;
    const made = config.body.text(verdict, this.name);
    unchecked((this.texts[verdict as i32] = made));
    return made;
  }

  reason(verdict: FlowVerdict): Bytes {
    const known = unchecked(this.reasons[verdict as i32]);
    if (known !== null) return known;
    const made = reasonOf(verdict, this.name);
    unchecked((this.reasons[verdict as i32] = made));
    return made;
  }
}

/** What the filter keeps with the resource of a request. */
export function knownOf(config: FlowControlConfig, plugin: PluginUse, asked: Resource): Known {
  const first = asked.attachment;
  if (first !== null) return ofPlugin(config, plugin, changetype<Known>(first));
  const made = make(config, plugin, asked.name, asked.fixed);
  asked.attachment = made;
  return made;
}

/** The same where no rule is for the resource. */
export function othersOf(config: FlowControlConfig, plugin: PluginUse): Known {
  const first = config.others;
  if (first !== null) return ofPlugin(config, plugin, changetype<Known>(first));
  const made = make(config, plugin, NO_RESOURCE, true);
  config.others = made;
  return made;
}

/** The plugin's own; where it has none yet, that of one which has ended becomes it. */
function ofPlugin(config: FlowControlConfig, plugin: PluginUse, first: Known): Known {
  if (first.plugin === plugin) return first;
  let free: Known | null = null;
  for (let one: Known | null = first; one !== null; one = one.next) {
    if (one.plugin === plugin) return one;
    if (one.plugin.ended) free = one;
  }
  if (free !== null) {
    free.plugin = plugin;
    free.metrics = named(config, plugin, free.name, free.real);
    return free;
  }
  const made = make(config, plugin, first.name, first.real);
  made.next = first.next;
  first.next = made;
  return made;
}

function make(config: FlowControlConfig, plugin: PluginUse, name: Bytes, real: bool): Known {
  return new Known(name, plugin, named(config, plugin, name, real), real);
}

function named(config: FlowControlConfig, plugin: PluginUse, name: Bytes, real: bool): NamedMetrics {
  application.set(config.application.ptr, config.application.length);
  view.set(name.ptr, name.length);
  const metrics = plugin.metrics;
  return real ? metrics.reserved(TABLE, application, view) : metrics.named(TABLE, application, view);
}
