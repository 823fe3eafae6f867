import { asPect } from "moe-wasm/as-pect";

export default asPect({ entries: ["assembly/**/*.spec.ts"] });
