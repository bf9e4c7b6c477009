#!/usr/bin/env node
// The program. Everything beyond the version is loaded when it is needed.

import { VERSION } from './node/version.js';

const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  process.stdout.write(`${VERSION}\n`);
} else {
  const { main } = await import('./cli/main.js');
  await main(args);
}
