// Names that peers choose are keys of the keyed tables of assembly/bytes (StringMap, NameTable), whose hash no peer can
// foresee. The standard Map and Set have one hash for all: a peer who picks names that meet in a bucket makes each look-up
// walk over all of them. They hold what a configuration, or the module itself, has named.

const TABLES = new Set(["Map", "Set"]);

/** No Map or Set with texts as keys. */
export const keyedNames = {
  meta: { type: "problem", schema: [] },
  create: (context) => ({
    TSTypeParameterInstantiation(node) {
      const { parent, params } = node;
      const name = parent.typeName?.name ?? parent.callee?.name;
      if (!TABLES.has(name) || params[0]?.type !== "TSStringKeyword") return;
      const message = `A ${name} of texts: names of peers belong in StringMap or NameTable of assembly/bytes.`;
      context.report({ node, message });
    },
  }),
};
