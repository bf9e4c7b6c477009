/// SoftEther 1.0 of 2003 and 2004: experimental and unverified.
///
/// Nothing of it can be recorded any more, and no public text gives its message
/// sizes. Public is: from 0.50 Beta 3 on all traffic is TLS by a bundled
/// OpenSSL, its cipher chosen by the user (www2.softether.jp, beta3); a virtual
/// LAN card, so Ethernet frames; a virtual hub, which passes on every
/// broadcast; adjustable keep-alives (internet.watch.impress.co.jp,
/// 2004-02-05). "Estimate" marks what is only plausible (facts, section 10).

import type { EarlyProfile } from '../detect/early-profile.js';

export const softether1: EarlyProfile = {
  id: 'softether.1',
  title: 'SoftEther 1.0 over TLS (2003 to 2004)',
  status: 'experimental',
  product: 'SoftEther 1.0',
  references: ['facts, section 10: what is publicly known of SoftEther 0.5 and 1.0'],
  falsePositives: [
    'any other program that carries Ethernet frames through a TLS library of before 2006',
    'SSLv3 clients of SoftEther VPN 4.x, where their log-in was not recognised',
  ],
  caveat:
    'The profile of SoftEther 1.0 (2003 to 2004) is experimental and unverified: nothing of that version can be recorded any more, so it rests on public knowledge alone and is never more than suspected.',
  hello: {
    newestVersion: {
      value: 0x0301,
      source: 'OpenSSL 0.9.7 of 2003 and 2004 knows nothing newer than TLS 1.0',
    },
    suites: {
      values: [
        0x0003, 0x0004, 0x0005, 0x0006, 0x0007, 0x0008, 0x0009, 0x000a, 0x0011, 0x0012, 0x0013, 0x0014,
        0x0015, 0x0016, 0x002f, 0x0032, 0x0033, 0x0035, 0x0038, 0x0039, 0x0060, 0x0061, 0x0062, 0x0063,
        0x0064, 0x0065, 0x0066,
      ],
      source:
        'OpenSSL 0.9.7 ssl/tls1.h: suites that prove the server; 00ff came with 0.9.8m (RFC 5746, 2010), extensions with 0.9.8f',
    },
    clockUs: {
      value: 86_400_000_000,
      source:
        'RFC 2246 section 7.4.1.2: gmt_unix_time; a day for a clock set to local time or somewhat wrong',
    },
  },
  login: {
    turns: { value: 4, source: 'estimate: who asks for which hub, and the answers; today two of each side' },
    maxTurnBytes: {
      value: 4_096,
      source: 'estimate: names, a password, a policy; the largest today is 5,700',
    },
    maxAnswerUs: { value: 30_000_000, source: 'estimate: as today (Cedar.h CONNECTING_TIMEOUT, twice)' },
  },
  tunnel: {
    minLifeUs: {
      value: 180_000_000,
      source: 'estimate: a virtual LAN card stays connected; web connections do not',
    },
    minRecords: {
      value: 32,
      source: 'estimate: a Windows machine on a hub says more than that in three minutes',
    },
    minUnasked: {
      value: 8,
      source: 'both ends of a LAN speak on their own; the side that only answers has none',
    },
    quietUs: { value: 1_000_000, source: 'longer than the answer to anything on a path of half a second' },
    maxSilenceUs: {
      value: 60_000_000,
      source: 'estimate: keep-alives have to come before routers and proxies of the time forget a connection',
    },
    frameSizes: {
      values: [50, 62, 68, 74, 82, 86, 94, 100, 106],
      source:
        'estimate: blocks as in 4.x, whose ancestor this is: 8 + frame; ARP 42, TCP without data 54 and 60 and 66, SYN 62 and 74, NetBIOS query 92, echo 74 and 98',
    },
    smallMax: { value: 120, source: 'as in 4.x (facts, hard cases B3)' },
    minSmall: {
      value: 24,
      source: 'three times what 4.x needs beside its log-in, because the log-in says little here',
    },
    minFrameShare: {
      value: 0.8,
      source: 'as in 4.x: 2 of 294 public TLS flows reach it (facts, hard cases B4)',
    },
    minDifferent: { value: 3, source: 'as in 4.x (facts, hard cases B4)' },
  },
};
