/// Clients that are not SoftEther's own and speak its protocol to its servers.
/// What the server says is the same for all: hello, welcome, keep-alives, polls.
/// Of the client only the log-in is known, and that varies; so the script has
/// wide windows and counts for little.
///
/// Sources: public code as described in the facts, section 15. L as in `softether-tls.ts`.

import type { TlsSessionProfile } from '../detect/profile.js';
import { softetherTls } from './softether-tls.js';

const verdict: TlsSessionProfile['verdict'] = {
  confirmed: [{ all: ['nonce-chain'], count: 0, of: [] }],
  likely: [
    { all: ['start-script', 'poll-rhythm'], count: 0, of: [] },
    { all: ['start-script', 'keep-alive-law'], count: 0, of: [] },
    { all: ['start-script', 'server-keep-alive', 'hub-poll'], count: 0, of: [] },
    { all: ['start-script', 'plain-blocks'], count: 0, of: [] },
  ],
  suspected: [
    {
      all: ['start-script'],
      count: 1,
      of: ['keep-alive', 'server-keep-alive', 'hub-poll', 'frame-sizes'],
    },
  ],
};

const falsePositives = [
  'any exchange of a short request and 336 to 1,368 bytes, then a longer one and 2 to 4 kB: needs what only a virtual hub sends after it',
];

/// kittoku MVC: the signature of the official client, a log-in without facts
/// about the machine, one connection.
export const softetherMvc: TlsSessionProfile = {
  ...softetherTls,
  id: 'softether.mvc',
  title: 'Session of a client like MVC',
  status: 'experimental',
  clientProduct: 'third-party client (like MVC)',
  falsePositives,
  script: {
    ...softetherTls.script,
    login: {
      min: 552,
      max: 2_089,
      source:
        'facts 15: 548 + L + name of the hub + 0 to 999 random bytes, 984 with UDP acceleration; a host name of up to 41, a hub of up to 64',
    },
  },
  verdict,
};

/// The family that opens with the word VPNCONNECT in place of a picture.
export const softetherVpnconnect: TlsSessionProfile = {
  ...softetherTls,
  id: 'softether.vpnconnect',
  title: 'Session of a client that opens with VPNCONNECT',
  status: 'experimental',
  clientProduct: 'third-party client (VPNCONNECT)',
  splitMessages: true,
  falsePositives,
  script: {
    ...softetherTls.script,
    signature: {
      min: 115,
      max: 210,
      source:
        'facts 15: 125 + L, or 157 + L; with the body of 10 in a record of its own the header alone from 115',
    },
    login: {
      min: 500,
      max: softetherTls.script.login.max,
      source: 'facts 15: about 500 without facts about the machine, to what the official client sends',
    },
  },
  verdict,
};
