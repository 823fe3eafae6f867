// The rows of docs/limits.md about configurations: a part of limits-index.ts.

export interface Limit {
  /** The first column of the row. */
  row: string;
  /** "FILE: TITLE" of each test; a title with parameters as it stands in the source. */
  tests: string[];
  /** "FILE CONSTANT" of the bounds in the sources. */
  constants?: string[];
}

export const CONFIGURATION: Limit[] = [
  {
    row: "stream filters",
    tests: ["tests/host/proxy-filters.test.ts: errors name the filter and the field"],
    constants: ["assembly/stream/registry.ts MAX_FILTERS"],
  },
  {
    row: "an expression of `dsl`",
    tests: ["tests/unit/dsl/own.spec.ts: length, parts and levels"],
    constants: [
      "assembly/dsl/parser.ts MAX_LENGTH",
      "assembly/dsl/parser.ts MAX_PARTS",
      "assembly/dsl/parser.ts MAX_DEPTH",
    ],
  },
  {
    row: "a configuration",
    tests: [
      "tests/unit/config/json.spec.ts: depth",
      "tests/unit/config/json.spec.ts: values",
      "tests/unit/config/json.spec.ts: length of strings and of the whole",
      "tests/host/configuration.test.ts: nesting beyond the limit is refused",
    ],
    constants: [
      "assembly/config/json.ts MAX_JSON_BYTES",
      "assembly/config/json.ts MAX_JSON_DEPTH",
      "assembly/config/json.ts MAX_JSON_VALUES",
      "assembly/config/json.ts MAX_JSON_STRING",
    ],
  },
  {
    row: "an expression (`regex`)",
    tests: ["tests/unit/regex/regex.spec.ts: refuses the rest, with the place"],
    constants: [
      "assembly/regex/regex.ts MAX_PATTERN",
      "assembly/regex/parser.ts MAX_DEPTH",
      "assembly/regex/parser.ts MAX_REPEAT",
      "assembly/regex/compiler.ts MAX_PROGRAM",
    ],
  },
  {
    row: "entries of `clusters`",
    tests: ["tests/unit/config/proxy_config.spec.ts: 4,096 may be named"],
    constants: ["assembly/proxy/config.ts MAX_CLUSTERS"],
  },
  {
    row: "server connections to one host (`connections`)",
    tests: ["tests/unit/config/proxy_config.spec.ts: are refused with what is wrong"],
    constants: ["assembly/upstream/cluster_config.ts MAX_CONNECTIONS"],
  },
  {
    row: "entries of `allowed_clusters`",
    tests: ["tests/host/allowed-clusters.test.ts: has room for 256 entries"],
    constants: ["assembly/router/allowed_clusters.ts MAX_PATTERNS"],
  },
  {
    row: "places for tokens of one provider of `jwt_authn`",
    tests: ["tests/host/limits-jwt.test.ts: 16 places are taken, one more is refused"],
    constants: ["filters/stream/jwt_authn/read_provider.ts MAX_LOCATIONS"],
  },
  {
    row: "mistakes that are told of one configuration",
    tests: ["tests/unit/config/errors.spec.ts: are at most twenty, and reading ends there"],
    constants: ["assembly/config/errors.ts MAX_MISTAKES"],
  },
];
