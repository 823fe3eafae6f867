import tseslint from "typescript-eslint";
import { circles } from "./scripts/lint/circles.js";
import { layers } from "./scripts/lint/layers.js";
import { keyedNames } from "./scripts/lint/names.js";
import { guardedLog, noBuiltText } from "./scripts/lint/texts.js";

// AssemblyScript puts decorators on functions, which TypeScript's grammar has not: blank them out, keep the columns.
const DECORATOR = /^(\s*)@(inline|unsafe|lazy|global|final|unmanaged|operator\([^\n]*\)|external\([^\n]*\))[ \t]*$/gm;
const assemblyScript = {
  ...tseslint.parser,
  parseForESLint: (code, options) =>
    tseslint.parser.parseForESLint(
      code.replace(DECORATOR, (line) => " ".repeat(line.length)),
      options,
    ),
};

const noTrap = [
  { selector: "ThrowStatement", message: "A throw kills the VM: answer, count and log instead." },
  { selector: "TSNonNullExpression", message: "An unchecked `!` can kill the VM: test for null." },
  { selector: "CallExpression[callee.name='assert']", message: "A failed assert kills the VM." },
];

const RAW_LOG = {
  group: ["**/abi/imports"],
  importNames: ["proxy_log"],
  message: "assembly/host/log.ts knows the level.",
};

/** The module's own rules; tests/host/lint.test.ts shows what each finds. */
const moe = {
  rules: { layers, circles, "guarded-log": guardedLog, "no-built-text": noBuiltText, "keyed-names": keyedNames },
};

/** What the module consists of. */
const MODULE = ["assembly/**/*.ts", "filters/**/*.ts"];
const NOT_SHIPPED = ["**/*.spec.ts", "**/testing.ts"];

/** Files of the module whose work is done while it is loaded, or once for a name: they may build texts. */
const LOADING = [
  "assembly/{abi,config,host,regex,router}/**",
  "**/{config,root,registry,stats,failures}.ts",
  "assembly/stream/metrics.ts",
  "**/{read_,parse}*.ts",
  "**/*_config{,s}.ts",
  "assembly/dsl/{compiler,functions,lexer}.ts",
];

/** Files of the module whose tables of texts have names of the configuration, or of the module itself. */
const CONFIGURED = [
  "assembly/config/**",
  "**/{config,read_*}.ts",
  "assembly/router/{allowed_clusters,builder,metadata,router}.ts",
  "assembly/dsl/{attributes,lexer}.ts",
  "assembly/{abi/dispatch,policy/header_matcher,stream/variable_names}.ts",
];

export default tseslint.config(
  { ignores: ["node_modules", "build", ".cache", "**/target"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["assembly/**/*.ts", "filters/**/*.ts", "tests/unit/**/*.ts"],
    languageOptions: { parser: assemblyScript },
    plugins: { "@typescript-eslint": tseslint.plugin },
    rules: { "@typescript-eslint/no-unused-vars": ["error", { args: "none" }], "no-dupe-class-members": "error" },
  },
  {
    files: MODULE,
    ignores: NOT_SHIPPED,
    plugins: { moe },
    rules: { "no-restricted-syntax": ["error", ...noTrap], "moe/layers": "error", "moe/guarded-log": "error" },
  },
  { files: ["assembly/**/*.ts"], ignores: NOT_SHIPPED, rules: { "moe/circles": "error" } },
  {
    files: MODULE,
    ignores: [...NOT_SHIPPED, ...LOADING],
    rules: { "moe/no-built-text": "error" },
  },
  {
    files: MODULE,
    ignores: [...NOT_SHIPPED, ...CONFIGURED],
    rules: { "moe/keyed-names": "error" },
  },
  {
    files: MODULE,
    ignores: ["assembly/{abi,host}/**"],
    rules: { "no-restricted-imports": ["error", { patterns: [RAW_LOG] }] },
  },
  {
    files: ["{assembly,filters,scripts,tests}/**/*.{ts,js}"],
    ignores: ["tests/unit/{regex/vectors,dsl/vectors}.ts", "**/generated/*.ts"],
    rules: { "max-lines": ["error", { max: 400 }] },
  },
  {
    files: ["scripts/**/*.ts", "tests/**/*.ts"],
    ignores: ["tests/unit/**", "**/*.spec.ts"],
    extends: [...tseslint.configs.recommended],
  },
);
