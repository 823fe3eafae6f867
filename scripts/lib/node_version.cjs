// Says which Node is needed where it is too old: plain JavaScript that any version runs, before the scripts, which it may not.
"use strict";
const { engines } = require("../../package.json");

const needed = engines.node.replace(">=", "").split(".").map(Number);
const have = process.versions.node.split(".").map(Number);
if (have[0] < needed[0] || (have[0] === needed[0] && have[1] < needed[1])) {
  console.error("moe-wasm needs Node " + needed.join(".") + " or newer; this is " + process.versions.node + ".");
  process.exit(1);
}
