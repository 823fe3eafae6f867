// Runner of the AssemblyScript unit tests: `npm run test:unit`, or one spec: `npx asp filters/codec/bolt/bolt.spec.ts`.
const named = process.argv.slice(2).some((argument) => argument.endsWith(".spec.ts"));

export default {
  entries: named ? [] : ["tests/unit/**/*.spec.ts", "filters/**/*.spec.ts"],
  include: ["tests/unit/**/*.include.ts"],
  disclude: [/node_modules/],
  async instantiate(memory, createImports, instantiate, binary) {
    return instantiate(binary, createImports({ env: { memory } }));
  },
  outputBinary: false,
};
