#!/usr/bin/env node
// The command `moe` of the published package: plain JavaScript that any version of Node runs, before what needs a newer one.
"use strict";
require("./lib/node_version.cjs");
import("../build/cli/moe.js");
