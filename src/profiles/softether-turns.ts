/// SoftEther VPN over TLS where the headers of TLS records are not in the
/// capture: packets cut short, lost, or of one direction only. What is left is
/// what the program of 2004 had: how many bytes flow before the direction turns.
///
/// Sizes are bytes of TCP payload of a whole turn. What TLS adds to a message:
/// at least 21 (header 5, tag 16: RFC 7905), at most 85 (header 5, IV 16, MAC 48,
/// padding 16: RFC 5246 with SHA-384); TLS 1.0 with its empty record 82.

import type { TurnProfile } from '../detect/profile.js';
import { softetherTls } from './softether-tls.js';

const { script } = softetherTls;

export const softetherTurns: TurnProfile = {
  ...softetherTls,
  id: 'softether.turns',
  title: 'SoftEther VPN session over TLS, by the volumes of its turns',
  status: 'experimental',
  unit: 'turns',
  falsePositives: [
    'as with records, and more: sizes are less exact, and what is one turn may have been several messages. The windows of the log-in alone fit 1 of 2,580 public TLS flows (facts, hard cases A4), so they never suffice',
  ],
  maxProxyTurns: {
    value: 6,
    source: 'SOCKS5 with a password: methods, log-in, request, each answered (RFC 1928, RFC 1929)',
  },
  handshake: {
    hello: {
      min: 80,
      max: 4_096,
      source:
        'RFC 8446 section 4.1.2: 80 with a handful of suites; facts 1.2: 396 + server name by default, about 1,900 with post-quantum keys',
    },
    flight: {
      min: 500,
      max: 16_384,
      source: 'facts 2.9: 1,422 + 6n or 984 + 6n with the default certificate; own chains are longer',
    },
    moreFromClient: {
      min: 70,
      max: 1_500,
      source: 'facts 2.9: Finished of TLS 1.3 80 (64 with SHA-256), key exchange of TLS 1.2 with RSA 346',
    },
    moreFromServer: {
      min: 50,
      max: 1_000,
      source: 'facts 2.9: Finished of TLS 1.2 79 (51 with GCM), one or two tickets 79 each',
    },
  },
  tickets: { min: 60, max: 180, source: 'one or two of 79 bytes (facts, hard cases A3)' },
  welcomePauseUs: {
    value: 20_000,
    source:
      'the segments of one write come at once; the next thing that the server sends waits for up to 256 ms (Connection.c: ConnectionSend)',
  },
  script: {
    ...script,
    probe: {
      min: script.probe.min + 21,
      max: script.probe.max + 85 + 90,
      source:
        'the request, with the Finished message of TLS 1.3 in front (facts 2.9: 80; 90 for other suites)',
    },
    probeAnswer: {
      min: script.probeAnswer.min + 21,
      max: script.probeAnswer.max + 85 + 160,
      source: 'the answer, with two tickets in front (facts 2.9: 158)',
    },
    // With other bytes in front, a turn does not tell the answers apart.
    knownProbeAnswers: [],
    signature: {
      min: script.signature.min + 21,
      max: script.signature.max + 85 + 90,
      source: 'the signature, with the Finished message of TLS 1.3 in front (facts 2.9)',
    },
    hello: {
      min: script.hello.min + 21,
      max: script.hello.max + 85 + 160,
      source: 'the greeting, with two tickets in front (facts 2.9: 158)',
    },
    noop: { min: script.noop.min + 21, max: script.noop.max + 85, source: 'the message and its TLS record' },
    noopAnswer: {
      min: script.noopAnswer.min + 21,
      max: script.noopAnswer.max + 85,
      source: 'the message and its TLS record',
    },
    login: {
      min: script.login.min + 21,
      max: script.login.max + 85,
      source: 'the message and its TLS record',
    },
    welcome: {
      min: script.welcome.min + 21,
      max: script.welcome.max + 85 + 785,
      source:
        'the welcome, and the first record of the tunnel where it follows at once (at most 700: firstRecords)',
    },
    attach: {
      min: script.attach.min + 21,
      max: script.attach.max + 85,
      source: 'the message and its TLS record',
    },
    attachAnswer: {
      min: script.attachAnswer.min + 21,
      max: script.attachAnswer.max + 85 + 785,
      source: 'the answer, and the first record of the tunnel where it follows at once',
    },
  },
  // Volumes never confirm; the chain of UDP acceleration needs no records.
  verdict: {
    confirmed: [{ all: ['nonce-chain'], count: 0, of: [] }],
    likely: [
      { all: ['start-turns'], count: 2, of: ['additional-connection', 'keep-alive', 'poll-rhythm'] },
      { all: ['start-turns', 'first-records', 'poll-rhythm'], count: 0, of: [] },
      {
        all: ['start-turns', 'first-records', 'additional-connection'],
        count: 1,
        of: ['hub-poll', 'frame-sizes'],
      },
    ],
    // First records alone follow the log-in of many a web application too.
    suspected: [
      {
        all: ['start-turns'],
        count: 1,
        of: ['additional-connection', 'keep-alive', 'hub-poll', 'frame-sizes'],
      },
      { all: ['attach-turns', 'keep-alive-law'], count: 0, of: [] },
      { all: ['attach-turns', 'poll-rhythm'], count: 0, of: [] },
    ],
  },
};
