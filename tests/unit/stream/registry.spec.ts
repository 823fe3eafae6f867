// Filter types, and the roots that they are for.
import { Bytes } from "../../../assembly/bytes/bytes";
import { ConfigErrors } from "../../../assembly/config/errors";
import { ProxyConfig } from "../../../assembly/proxy/config";
import { FilterRoots } from "../../../assembly/stream/filter";
import { bit, Phase } from "../../../assembly/stream/phase";
import { FilterRegistry } from "../../../assembly/stream/registry";
import { TestFilterType } from "./test_filter";

function typeFor(name: string, roots: FilterRoots): TestFilterType {
  const type = new TestFilterType(name, bit(Phase.AFTER_ROUTE), true);
  type.roots = roots;
  return type;
}

const all = new FilterRegistry();
const proxy = all.of(FilterRoots.PROXY);
all.register(typeFor("both", FilterRoots.ALL));
all.register(typeFor("rpc", FilterRoots.PROXY));
all.register(typeFor("web", FilterRoots.HTTP));

/** What the root `proxy` says to a configuration, without the place. */
function refusal(text: string): string {
  const bytes = Bytes.of(text.replaceAll("'", '"'));
  const errors = new ConfigErrors();
  ProxyConfig.parse(bytes.ptr, bytes.length, errors, ["bolt"], proxy);
  const from = errors.message.indexOf(" (line ");
  return from < 0
    ? errors.message
    : errors.message.substring(0, from) + errors.message.substring(errors.message.indexOf("):", from) + 1);
}

describe("the types of one root", () => {
  test("are those that are for it", () => {
    expect(all.names).toStrictEqual(["both", "rpc", "web"]);
    expect(proxy.names).toStrictEqual(["both", "rpc"]);
    expect(all.of(FilterRoots.HTTP).names).toStrictEqual(["both", "web"]);
    expect(proxy.find("rpc") === null).toBe(false);
    expect(proxy.find("web") === null).toBe(true);
  });

  test("others are refused in the chain and in routes, and told from types that there are not", () => {
    expect(refusal("{'stream_filters':[{'type':'rpc'}]}")).toBe("");
    expect(refusal("{'stream_filters':[{'type':'both'},{'type':'web'}]}")).toBe(
      'stream_filters[1].type: the filter type "web" is not for this root; allowed: both, rpc',
    );
    expect(refusal("{'stream_filters':[{'type':'wep'}]}")).toBe(
      'stream_filters[0].type: unknown filter type "wep"; allowed: both, rpc',
    );
    const route = "{'route':{'cluster_name':'a'},'per_filter_config':{'web':{}}}";
    expect(refusal(`{'router':{'virtual_hosts':[{'domains':['*'],'routers':[${route}]}]}}`)).toBe(
      'router.virtual_hosts[0].routers[0].per_filter_config: the filter type "web" is not for this root; allowed: both, rpc',
    );
  });
});
