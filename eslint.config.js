import tseslint from "typescript-eslint";

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
    files: ["assembly/**/*.ts", "filters/**/*.ts"],
    ignores: ["**/*.spec.ts"],
    rules: { "no-restricted-syntax": ["error", ...noTrap] },
  },
  {
    files: ["scripts/**/*.ts", "tests/**/*.ts"],
    ignores: ["tests/unit/**", "**/*.spec.ts"],
    extends: [...tseslint.configs.recommended],
  },
);
