// The rows of docs/limits.md about what is read: a part of limits-index.ts.

import type { Limit } from "./limits-configuration.ts";

export const WHAT_IS_READ: Limit[] = [
  {
    row: "first bytes of a connection",
    tests: [
      "tests/unit/xprotocol/xprotocol.spec.ts: the first YES wins, a MORE keeps the question open, but not for ever",
    ],
  },
  {
    row: "HTTP/1 on the RPC port",
    tests: [
      "tests/e2e/one_port.test.ts: first bytes, one by one but for HTTP/1: Bolt v1 and v2, Dubbo, HTTP/1.0, HTTP/1.1, HTTP/2",
    ],
  },
  {
    row: "headers of a frame that is changed",
    tests: [
      "tests/e2e/headers.test.ts: what changes do not fit into a frame of ${version} goes on as it came, or is an error",
      "tests/host/lost-changes.test.ts: a message may grow to max_frame_bytes, and not beyond",
      "filters/codec/dubbothrift/dubbothrift.spec.ts: service and method are rewritten, the path follows, everything else is left",
    ],
    constants: ["filters/codec/bolt/codec.ts MAX_HEADER", "filters/codec/dubbothrift/dubbothrift.ts MAX_HEADER"],
  },
  {
    row: "a frame of Tars",
    tests: [
      "filters/codec/tars/tars.spec.ts: other bytes",
      "filters/codec/tars/tars.spec.ts: nested fields are skipped to a depth, and counted against the bytes there are",
    ],
    constants: ["filters/codec/tars/jce.ts MAX_DEPTH"],
  },
  {
    row: "classes of SOFARPC's own messages",
    tests: ["filters/codec/bolt/call.spec.ts: a class has up to 64 fields"],
    constants: ["filters/codec/bolt/sofa_object.ts MAX_FIELDS"],
  },
  {
    row: "HTTP/2 from the switchboard",
    tests: [
      "tests/unit/http2/frames.spec.ts: frames larger than we allow",
      "tests/unit/http2/frames.spec.ts: floods of CONTINUATION",
      "tests/unit/http2/hpack.spec.ts: length of a string, plain and coded",
      "tests/unit/http2/hpack.spec.ts: count of fields",
      "tests/unit/http2/hpack.spec.ts: sum of fields, so that a small block cannot grow large",
    ],
    constants: [
      "assembly/http2/constants.ts DEFAULT_MAX_FRAME",
      "assembly/http2/parser.ts MAX_HEADER_BLOCK",
      "assembly/http2/parser.ts MAX_CONTINUATIONS",
      "assembly/http2/hpack/field.ts MAX_HEADERS",
      "assembly/http2/hpack/field.ts MAX_STRING",
      "assembly/http2/hpack/field.ts MAX_HEADER_LIST",
      "assembly/http2/hpack/field.ts MAX_TABLE",
    ],
  },
  {
    row: "resets of server connections of one client connection",
    tests: ["tests/host/proxy-policies.test.ts: CONNECTs that are never answered: no flood of resets, none too early"],
  },
  {
    row: "Hessian in general",
    tests: [
      "tests/unit/hessian/hessian.spec.ts: nesting up to the bound, whatever nests",
      "tests/unit/hessian/hessian.spec.ts: classes up to the bound",
      "tests/unit/hessian/hessian.spec.ts: values up to the bound; ints of a byte do not count",
    ],
    constants: [
      "assembly/hessian/reader.ts MAX_DEPTH",
      "assembly/hessian/reader.ts MAX_CLASSES",
      "assembly/hessian/reader.ts MAX_VALUES",
    ],
  },
  {
    row: "JSONB in attachments of Dubbo (fastjson2)",
    tests: [
      "filters/codec/dubbo/fastjson2.spec.ts: nesting is bounded, and random bytes do no harm",
      "filters/codec/dubbo/fastjson2.spec.ts: values are bounded",
    ],
    constants: ["filters/codec/dubbo/jsonb.ts MAX_DEPTH", "filters/codec/dubbo/jsonb.ts MAX_VALUES"],
  },
  {
    row: "Hessian that `hessian_allowlist` reads",
    tests: [
      "tests/host/hessian-allowlist.test.ts: ${wire.name}: numbers that point nowhere, lengths that nothing is behind, depth",
    ],
    constants: ["assembly/hessian/names.ts MAX_NAME"],
  },
  {
    row: "a search with a regular expression",
    tests: [
      "tests/unit/regex/regex.spec.ts: a text of 65,536 bytes is searched, a longer one fails",
      "tests/unit/regex/regex.spec.ts: a search of 1,048,576 steps ends, one that takes more fails: of the machine, the automaton, a prefix",
      "tests/host/hostile-texts.test.ts: routes: a request that takes too many steps has none, whatever comes behind",
      "tests/host/hostile-texts.test.ts: flow control blocks what its expressions cannot be searched for in",
    ],
    constants: ["assembly/regex/budget.ts MAX_TEXT", "assembly/regex/budget.ts MAX_STEPS"],
  },
  {
    row: "steps of one evaluation of `dsl`",
    tests: [
      "tests/unit/dsl/own.spec.ts: an evaluation of 4,194,304 steps ends, one that takes more fails: of functions, searches, expressions, comparisons",
      "tests/host/hostile-texts.test.ts: flow control blocks what names no resource because it takes too long",
    ],
    constants: ["assembly/dsl/steps.ts MAX_STEPS"],
  },
  {
    row: "the texts of one evaluation",
    tests: [
      "tests/unit/dsl/own.spec.ts: the texts of an evaluation: what is too long fails, and the next evaluation is whole",
    ],
    constants: ["assembly/dsl/arena.ts MAX_BYTES"],
  },
  {
    row: "answer of a callout",
    tests: ["tests/host/callouts.test.ts: ${name}: the filter chooses"],
    constants: ["assembly/host/callout.ts MAX_ANSWER"],
  },
  {
    row: "a token of `jwt_authn`",
    tests: [
      "tests/host/limits-jwt.test.ts: one of 16,384 bytes is read, one of a byte more is too long",
      "tests/host/limits-jwt.test.ts: 16 keys are tried where there is no kid, and no more",
    ],
    constants: ["filters/stream/jwt_authn/token.ts MAX_TOKEN", "filters/stream/jwt_authn/provider.ts MAX_TRIES"],
  },
  {
    row: "a key set of `jwt_authn`",
    tests: [
      "tests/host/limits-jwt.test.ts: 256 keys are taken, one more is refused",
      "tests/host/limits-jwt.test.ts: 256 KiB of a server are taken, one more byte is refused",
      "tests/host/limits-jwt.test.ts: RSA keys of 2,048 to 8,192 bits are taken, others refused",
    ],
    constants: [
      "filters/stream/jwt_authn/jwk.ts MAX_KEYS",
      "filters/stream/jwt_authn/jwk.ts MAX_TEXT",
      "filters/stream/jwt_authn/jwk.ts MAX_RSA",
    ],
  },
  {
    row: "a protobuf message",
    tests: [
      "tests/host/protobuf.test.ts: nests as deep as others do, and no deeper",
      "tests/host/protobuf.test.ts: has so many messages inside at most",
    ],
    constants: ["assembly/protobuf/reader.ts MAX_DEPTH", "assembly/protobuf/reader.ts MAX_MESSAGES"],
  },
];
