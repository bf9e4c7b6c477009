/** The scenarios as data. To add one, add a row to one of the tables. */

import type { Scenario } from './scenario-types.js';
import { FIRST_LOOK_ALIKES, LOOK_ALIKE_ROWS } from './scenarios-benign.js';
import { CARRIED_SESSIONS } from './scenarios-carried.js';
import { DIRECT_SESSIONS, FIRST_SESSIONS } from './scenarios-direct.js';
import { FIRST_OTHERS, OTHERS } from './scenarios-other.js';
import { PATH_SESSIONS } from './scenarios-paths.js';

/** The first ones keep their place: look-alikes draw TLS versions by it. */
export const SCENARIOS: readonly Scenario[] = [
  ...FIRST_SESSIONS,
  ...FIRST_OTHERS,
  ...FIRST_LOOK_ALIKES,
  ...DIRECT_SESSIONS,
  ...CARRIED_SESSIONS,
  ...PATH_SESSIONS,
  ...OTHERS,
  ...LOOK_ALIKE_ROWS,
];
