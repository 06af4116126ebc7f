/**
 * Lets Stryker 9 load mocha 12, whose command-line modules are now called `.cjs` while Stryker's mocha runner still
 * requires them without an extension. Preloaded in Stryker's own process and in its test runners.
 * Goes away with a mocha runner that looks for both.
 */
const Module = require("node:module");

Module._extensions[".cjs"] ??= Module._extensions[".js"];
