/// SoftEther VPN 4.x and 5.x, direct: TLS on TCP, any port.
///
/// Sources named here: S4 = SoftEtherVPN_Stable ed17437a (4.44), S5 =
/// SoftEtherVPN cf559617 (5.02). Sizes follow from their field lists: a fixed
/// part, strings, and `pencore`, 0 to 999 random bytes that every message has
/// (Network.c CreateDummyValue). L is the length of the text of the server's
/// address in the Host header: 7 to 15 for IPv4, up to 41 for IPv6 in brackets.

import type { TlsSessionProfile } from '../detect/profile.js';

export const softetherTls: TlsSessionProfile = {
  id: 'softether.tls',
  title: 'SoftEther VPN session over TLS',
  status: 'stable',
  product: 'SoftEther VPN',
  clientProduct: null,
  unit: 'records',
  splitMessages: false,
  references: [
    'S4 and S5 src/Cedar/Protocol.c: ClientConnect, ClientUploadSignature, ClientUploadAuth, ServerAccept',
    'S4 and S5 src/Cedar/Connection.c: ConnectionSend, SendKeepAlive, GenNextKeepAliveSpan',
  ],
  falsePositives: [
    'an application that posts 1.5 to 3.5 kB and then 2.5 to 5.7 kB over one connection, is answered with about 1 kB and then 2 to 4 kB, and goes on with small messages both ways: stays below likely unless it also keeps the alive law or opens further connections',
  ],
  neverOffered: {
    protocol: 'h2',
    source:
      'Network.c: NewSSLCtx: no ALPN in any version (facts 1.2), and none is known of the clients of others (facts 15); browsers and HTTP libraries offer HTTP/2 (RFC 9113 section 3.2)',
  },
  script: {
    maxTickets: {
      value: 4,
      source: 'OpenSSL sends 2 (SSL_CTX_set_num_tickets); 4 leaves room for other builds',
    },
    maxTicketBytes: {
      value: 1024,
      source:
        'SoftEther servers 74, other OpenSSL servers 250 to 282 (facts, observed); a name of 255 bytes in a ticket, and as much again for other libraries',
    },
    maxAnswerUs: {
      value: 30_000_000,
      source: 'S4 Cedar.h: CONNECTING_TIMEOUT 15 s for each step; twice that for slow paths',
    },
    probe: {
      min: 242,
      max: 283,
      source: 'Network.c: DetectIsServerSoftEtherVPN: 242 + L; before 4.07 239 + L',
    },
    probeAnswer: {
      min: 200,
      max: 8192,
      source:
        'S4 index page 2121 (4.30 and later), S5 and others HttpSendForbidden 439 + address + port; the page follows the build, so any page counts',
    },
    knownProbeAnswers: [
      { min: 2121, max: 2121, source: 'S4 index page: 202 OK, 1,999 bytes of page; recorded with 4.44.9807' },
      {
        min: 447,
        max: 485,
        source:
          'S5 and older S4: HttpSendForbidden: 439 + server address + port digits; recorded with 5.01.9674',
      },
    ],
    signature: {
      min: 1528 + 3,
      max: 3527 + 41,
      source: 'Protocol.c: ClientUploadSignature: 117 + L header, 1411 picture, 0 to 1999 random',
    },
    hello: {
      min: 336,
      max: 1368,
      source: 'Protocol.c: ServerUploadHello: 134 + product name (29 to 61) + 172 to 174 header + pencore',
    },
    noop: { min: 263 + 3, max: 1263 + 41, source: 'Protocol.c: ClientUploadNoop: 263 + L + pencore' },
    noopAnswer: {
      min: 238,
      max: 1242,
      source: 'Protocol.c: ClientUploadNoop answer: 68 + 172 to 174 header + pencore',
    },
    minNoopGapUs: { value: 2_000_000, source: 'Protocol.c: ClientUploadNoop is called every 3 s' },
    login: {
      min: 2450,
      max: 5700,
      source: 'Protocol.c: ClientUploadAuth: anonymous without UDP acceleration to certificate with it',
    },
    welcome: {
      min: 1980,
      max: 3840,
      source: 'Protocol.c: PackWelcome: 1793 to 2628 + names + header + pencore',
    },
    attach: {
      min: 409 + 3,
      max: 1427 + 41,
      source:
        'Protocol.c: ClientUploadAuth2 (additional_connect): 214 (4.x) or 232 (5.x) + header 195 + L + pencore',
    },
    attachAnswer: {
      min: 240,
      max: 1250,
      source: 'Protocol.c: ServerAccept (additional_connect): 73 + header + pencore',
    },
  },
  firstRecords: {
    client: {
      value: 900,
      source:
        'keep-alive of at most 519 bytes, often merged with first frames: 134 of 140 primaries, 421 of 427 additional (facts, hard cases C)',
    },
    server: { value: 700, source: 'as for the client' },
    withinUs: {
      value: 700_000,
      source:
        'Connection.c: the loop wakes within 256 ms of the welcome; measured at most 0.30 s (facts, hard cases C)',
    },
  },
  keepAlive: {
    plaintext: {
      min: 8,
      max: 519,
      source:
        'Connection.c: SendKeepAlive: two numbers of 4 bytes and rand() % 512 bytes (MAX_KEEPALIVE_SIZE)',
    },
    gapUs: {
      min: 3_900_000,
      max: 10_400_000,
      source:
        'Connection.c: GenNextKeepAliveSpan with the default time-out of 20 s: 4 to 10 s, polled every 256 ms',
    },
    quietUs: {
      value: 300_000,
      source: 'longer than the answer to anything that was asked, on a path of 150 ms',
    },
    leastGapUs: {
      min: 3_900_000,
      max: 4_350_000,
      source:
        'GenNextKeepAliveSpan: a draw below a fifth of the time-out is raised to it, 4 s, polled every 256 ms',
    },
    leastGapShare: {
      min: 0.15,
      max: 0.8,
      source: 'GenNextKeepAliveSpan: 40 %; measured 42 and 44 % of 478 intervals (facts, hard cases B3)',
    },
    minEach: {
      value: 2,
      source: 'an answer can look spontaneous once; twice from both sides shows two clocks',
    },
    maxUnexplained: {
      value: 0.25,
      source: 'a connection that carries keep-alives carries little else, because data puts them off',
    },
    minWithShare: { value: 12, source: 'facts, hard cases B4: no public flow reaches 3' },
    minFromServer: {
      value: 4,
      source: 'as for `minSpread`: four sizes, and at the mean of 5.8 s some 25 s of the connection',
    },
    minSpread: {
      value: 100,
      source:
        'four sizes drawn from 512 lie closer together in 1 of 45 cases; pings of other protocols have one size',
    },
  },
  hubPoll: {
    arp: { value: 50, source: 'block of one ARP request or reply: 4 + 4 + 42 (Hub.c: HubWatchDogThread)' },
    arpPadded: { value: 68, source: 'the same padded to 60 bytes' },
    neighbourSolicitation: { value: 94, source: '4 + 4 + 86 (RFC 4861 section 4.3)' },
    neighbourAdvertisement: { value: 86, source: '4 + 4 + 78 (RFC 4861 section 4.4)' },
    withinUs: {
      value: 600_000,
      source: 'answered at once by the client: one round trip (facts, hard cases B3)',
    },
    minPairs: {
      value: 1,
      source: 'a single pair occurs in 1 of 1,117 public TLS flows (facts, hard cases B4)',
    },
    minRepeated: {
      value: 2,
      source:
        'no public TLS flow has one pair and mostly frame-sized records; the second comes within 5.1 s, or is of the other kind (facts, hard cases B3 and B4)',
    },
    periodUs: {
      min: 4_850_000,
      max: 5_350_000,
      source:
        'Hub.c: HubWatchDogThread: 5,000 ms spread over the addresses and 100 ms of pause (facts, hard cases B3)',
    },
    minPeriods: { value: 2, source: 'none in 1,117 public TLS flows (facts, hard cases B4)' },
  },
  frameSizes: {
    sizes: {
      values: [50, 62, 68, 74, 82, 86, 94, 106],
      source:
        '8 + frame: ARP 42, TCP without data 54 or 66 (with options), padded 60, SYN 74, ND 78 and 86, ICMP echo 98 (facts, hard cases B3)',
    },
    smallMax: { value: 120, source: 'facts, hard cases B3' },
    minRecords: { value: 8, source: 'facts, hard cases B4' },
    minShare: { value: 0.8, source: 'facts, hard cases B4: 2 of 294 public TLS flows reach it' },
    minDifferent: { value: 3, source: 'facts, hard cases B4' },
  },
  tinyRecords: {
    most: { value: 1, source: 'a block has 8 bytes at least; one TLS 1.3 key update may come in between' },
  },
  plainBlocks: {
    minBlocks: {
      value: 2,
      source: 'no direction of 27,563 public TCP streams parses as two blocks (facts, hard cases B1)',
    },
    minAlone: {
      value: 4,
      source: 'twice of what no public stream reaches, because only one side is looked at',
    },
  },
  accelerationPorts: {
    min: 40_000,
    max: 44_999,
    source: 'UdpAccel.c: NewUdpAccel, UDP_SERVER_PORT_LOWER and HIGHER',
  },
  additional: {
    max: { value: 31, source: 'Cedar.h: MAX_TCP_CONNECTION 32' },
  },
  running: {
    patience: { value: 96, source: 'a default session shows polls or keep-alives within its first 20 s' },
    settleUs: {
      value: 20_800_000,
      source:
        'twice the longest silence (`keepAlive.gapUs`): by then each connection has sent something, and a keep-alive or poll after it',
    },
    minFrameShare: {
      value: 0.5,
      source: 'half of the least share of `frameSizes`, because polls may still come',
    },
    minKeepAlives: { value: 6, source: 'facts, hard cases B4: no public flow reaches 3' },
    minSiblings: { value: 2, source: 'the default session has two connections (Protocol.c: QoS)' },
    minOneWay: {
      value: 4,
      source: 'half of the fewest records of `frameSizes`, because two connections show them together',
    },
    maxRudpSilenceUs: {
      value: 10_000_000,
      source:
        'Network.c: each side of R-UDP sends every 2.5 to 4.8 s (RUDP_KEEPALIVE_INTERVAL; facts, wire 7.2); twice that',
    },
    maxRudpAttemptUs: {
      value: 25_000_000,
      source:
        'Network.c: a client tries for 10 s (TIMEOUT_TCP_PORT_CHECK), and the server sends to one that has gone for 12 s (facts, wire 7.2)',
    },
  },
  // The script alone can be met by chance. What follows tells: a web
  // application that goes on in small steps after large ones meets
  // `first-records` too, so that clause never decides on its own.
  verdict: {
    confirmed: [
      { all: ['nonce-chain'], count: 0, of: [] },
      { all: ['rudp'], count: 0, of: [] },
      { all: ['start-script', 'plain-blocks'], count: 0, of: [] },
      { all: ['start-script', 'poll-rhythm'], count: 0, of: [] },
      {
        all: ['start-script', 'first-records'],
        count: 1,
        of: ['additional-connection', 'keep-alive', 'hub-poll', 'frame-sizes'],
      },
      {
        all: ['start-script'],
        count: 2,
        of: ['additional-connection', 'keep-alive', 'hub-poll', 'frame-sizes'],
      },
    ],
    likely: [
      { all: ['rudp-chain'], count: 0, of: [] },
      // Without the log-in: the tunnel's own laws, which no public flow keeps.
      { all: ['poll-rhythm'], count: 0, of: [] },
      { all: ['repeated-poll', 'frame-sizes'], count: 0, of: [] },
      { all: ['one-way-pair', 'frame-sizes'], count: 0, of: [] },
      { all: ['plain-blocks'], count: 0, of: [] },
      { all: ['keep-alive-law'], count: 0, of: [] },
      { all: ['keep-alive', 'siblings'], count: 0, of: [] },
      { all: ['keep-alive', 'hub-poll'], count: 0, of: [] },
      { all: ['attach-script', 'keep-alive'], count: 0, of: [] },
      {
        all: ['start-script'],
        count: 1,
        of: ['additional-connection', 'keep-alive', 'hub-poll', 'frame-sizes'],
      },
      { all: ['start-script', 'probe', 'first-records'], count: 0, of: [] },
    ],
    suspected: [
      { all: ['start-script'], count: 0, of: [] },
      { all: ['keep-alive'], count: 0, of: [] },
      { all: ['hub-poll', 'frame-sizes'], count: 0, of: [] },
    ],
  },
};
