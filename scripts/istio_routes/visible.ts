// Which resources the plugin's workloads see.
import type { Resource } from "./documents.ts";
import type { Options } from "./options.ts";

/** Whether a resource is exported to the plugin's namespace; without `exportTo` it is to all. */
export function visible({ spec, namespace }: Resource, options: Options): boolean {
  if (!spec.has("exportTo")) return true;
  return spec.texts("exportTo").some((to) => {
    if (to === ".") return namespace === options.namespace;
    return to === "*" || to === options.namespace;
  });
}
