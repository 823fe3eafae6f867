// Runner of the AssemblyScript unit tests: `npm run test:unit` (one spec: `npx asp --file bytes`).
export default {
  entries: ["tests/unit/**/*.spec.ts", "filters/**/*.spec.ts"],
  include: ["tests/unit/**/*.include.ts"],
  disclude: [/node_modules/],
  async instantiate(memory, createImports, instantiate, binary) {
    return instantiate(binary, createImports({ env: { memory } }));
  },
  outputBinary: false,
};
