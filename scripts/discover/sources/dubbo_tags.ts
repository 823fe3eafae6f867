// Dubbo's tag rules: which hosts of an application have which tag, told by an operator.
import { parse } from "yaml";
import { isObject } from "../../lib/values.ts";
import { addressOf, type Endpoint } from "../model.ts";

/** A host with the tag that the rule gives it. */
export type TagRule = (one: Endpoint) => Endpoint;

/** The text of `/dubbo/config/dubbo/APPLICATION.tag-router`; undefined: it sets nothing. */
export function readTagRule(text: string, note: (text: string) => void): TagRule | undefined {
  if (text.trim() === "") return undefined;
  let root: unknown;
  try {
    root = parse(text);
  } catch (error) {
    return void note(`no YAML: ${(error as Error).message.split("\n")[0]}`);
  }
  if (!isObject(root) || !Array.isArray(root.tags)) return void note("expected an object with tags");
  if (root.enabled === false) return undefined;
  const byAddress = new Map<string, string>();
  for (const tag of root.tags as unknown[]) {
    if (!isObject(tag) || typeof tag.name !== "string") note("a tag without a name is left out");
    else if (tag.match !== undefined) note(`the tag ${tag.name} is left out: its conditions (match) are not read`);
    else
      for (const address of Array.isArray(tag.addresses) ? tag.addresses : []) byAddress.set(String(address), tag.name);
  }
  if (root.force === true) note("force is of no effect for callers that do not send dubbo.force.tag");
  return (one) => {
    const tag = byAddress.get(addressOf(one)) ?? byAddress.get(one.host) ?? byAddress.get(`0.0.0.0:${one.port}`);
    return tag === undefined ? one : { ...one, tag };
  };
}
