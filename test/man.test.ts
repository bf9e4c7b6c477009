/// The manual page tells of every command and option, and of none that is not there.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { COMMANDS, COMMON_OPTIONS } from '#sealert/cli/options.js';
import { ROOT } from './support/paths.js';

const PAGE = readFileSync(join(ROOT, 'docs', 'sealert.1'), 'utf8').replaceAll('\\-', '-');

/// Where a command or the common options are described, and what they have.
const SECTIONS = [
  ...Object.entries(COMMANDS).map(([name, { options }]) => ({ heading: `.SS ${name}`, options })),
  { heading: '.SH COMMON OPTIONS', options: COMMON_OPTIONS },
];

function sectionOf(heading: string): string {
  const start = PAGE.indexOf(`\n${heading}`) + 1;
  assert.ok(start > 0, heading);
  const end = /\n\.S[SH] /.exec(PAGE.slice(start))?.index;
  return PAGE.slice(start, end === undefined ? undefined : start + end);
}

for (const { heading, options } of SECTIONS) {
  test(`${heading} has the options that there are`, () => {
    const described = [...sectionOf(heading).matchAll(/^(?:\\fB-(\w)\\fR, )?\\fB--([\w-]+)\\fR/gm)];
    const found = described.map(([, alias, name]) => [name, alias]);
    assert.deepEqual(
      found,
      Object.entries(options).map(([name, option]) => [name, 'alias' in option ? option.alias : undefined]),
    );
  });
}
