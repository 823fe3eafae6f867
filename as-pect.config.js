import { asPect } from "./tests/unit/as-pect.js";
import { vectorImports } from "./tests/vectors/fixture.js";

// Runner of the AssemblyScript unit tests: `npm run test:unit`, or one spec: `npx asp filters/codec/bolt/bolt.spec.ts`.
const named = process.argv.slice(2).some((argument) => argument.endsWith(".spec.ts"));

export default asPect({
  entries: named ? [] : ["tests/unit/**/*.spec.ts", "filters/**/*.spec.ts"],
  include: ["tests/unit/**/*.include.ts"],
  imports: (memory) => ({ vectors: vectorImports(memory) }),
});
