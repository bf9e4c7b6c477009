#!/usr/bin/env node
// The program. Everything beyond the version is loaded when it is needed.

import { VERSION } from './node/version.js';

/// Analysing a gigabyte takes less than a second, so the time that the
/// compiler of the language takes counts. Inlining less, it takes a tenth less
/// of all processor time, and what it makes is as fast (scripts/bench/README.md).
const COMPILER_FLAG = '--max-inlined-bytecode-size-cumulative=300';

const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  process.stdout.write(`${VERSION}\n`);
} else {
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString(COMPILER_FLAG);
  const { main } = await import('./cli/main.js');
  await main(args);
}
