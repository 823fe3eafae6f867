// WasmPlugins as YAML.
import { Document } from "yaml";
import type { Plugin } from "./translate.ts";

/** The plugins as documents of one file; `command` tells how they were made. */
export function yamlOf(plugins: Plugin[], command: string): string {
  const head = [` Made by \`${command}\`.`, " Change what it was made of, and make it again."].join("\n");
  const texts = plugins.map((plugin, i) => {
    const document = new Document(plugin, { aliasDuplicateObjects: false });
    if (i === 0) document.commentBefore = head;
    return document.toString({ lineWidth: 0 });
  });
  return texts.join("---\n");
}
