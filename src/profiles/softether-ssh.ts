/// SoftEther VPN 4.x and 5.x inside SSH port forwarding (-L, -D, -R).
///
/// Sizes of messages, polls and keep-alives are those of `softether-tls.ts`.

import type { SshSessionProfile } from '../detect/ssh-profile.js';

export const softetherSsh: SshSessionProfile = {
  id: 'softether.ssh',
  title: 'SoftEther VPN session inside SSH port forwarding',
  status: 'experimental',
  references: [
    'RFC 4253 section 6 (packets), section 7.1 (negotiation); RFC 4254 section 5.2 (channel data)',
    'facts, hard cases A2 (sizes by cipher), A4 (windows), A5 (other channels)',
  ],
  falsePositives: [
    'a forwarded web application that posts 1.5 to 3.6 kB and then 2.5 to 5.7 kB and is answered with about 1 kB and then 2 to 4 kB: stays at suspected unless a further connection, the clock of a hub or more follows',
  ],
  recordForms: [
    { name: 'TLS 1.3', fixed: 5 + 17, block: 1, padded: 0, source: 'RFC 8446 section 5.2' },
    { name: 'TLS 1.2 GCM', fixed: 5 + 24, block: 1, padded: 0, source: 'RFC 5288' },
    { name: 'TLS 1.2 ChaCha20', fixed: 5 + 16, block: 1, padded: 0, source: 'RFC 7905' },
    {
      name: 'TLS 1.2 CBC-SHA1, encrypt-then-MAC',
      fixed: 5 + 16 + 20,
      block: 16,
      padded: 1,
      source: 'RFC 7366; the default of 4.x servers below TLS 1.3 (suite 0x002F)',
    },
    {
      name: 'TLS 1.2 CBC-SHA1',
      fixed: 5 + 16,
      block: 16,
      padded: 20 + 1,
      source: 'RFC 5246 section 6.2.3.2',
    },
    {
      name: 'no encryption inside SSH',
      fixed: 0,
      block: 1,
      padded: 0,
      source: 'UseEncrypt = false: after the welcome the blocks follow without TLS',
    },
  ],
  maxPackets: { value: 4, source: 'covers all recorded turns (facts, hard cases A2)' },
  compressionBytes: {
    value: 16,
    source: 'deflate cannot compress ciphertext; 348 became 356 (facts, hard cases A2)',
  },
  finishedBytes: {
    value: 6 + 5 + 69,
    source: 'RFC 8446: ChangeCipherSpec 6, Finished with SHA-384 4 + 48 + 17, header 5',
  },
  ticketBytes: { value: 5 + 74, source: 'SSL_OP_NO_TICKET: stateful tickets of 74 bytes (facts, wire 1.4)' },
  maxTickets: { value: 2, source: 'OpenSSL: SSL_CTX_set_num_tickets' },
  leastRecordBytes: { value: 5 + 16 + 8, source: 'header, tag and the smallest block of the tunnel' },
  turnPauseUs: { value: 250_000, source: 'facts, hard cases A4' },
  welcomePauseUs: {
    value: 60_000,
    source: 'the welcome is one write; first records follow 0.10 s later and more (facts, hard cases C)',
  },
  maxStepUs: { value: 10_000_000, source: 'facts, hard cases A4' },
  tolerant: {
    pieceBytes: {
      value: 1200,
      source: 'a full segment, also on paths of 1,280 bytes (facts, hard cases A5)',
    },
    joinUs: { value: 20_000, source: 'facts, hard cases A5' },
    maxStepUs: { value: 3_000_000, source: 'facts, hard cases A5' },
  },
  attachDelayUs: {
    min: 900_000,
    max: 1_700_000,
    source: 'Session.c: ClientAdditionalThread, interval 1 s; 1.07 to 1.24 s seen (facts, hard cases A3, A4)',
  },
  channel: {
    openPayload: {
      min: 45 + 1 + 7,
      max: 48 + 255 + 45,
      source:
        'RFC 4254 sections 5.1 and 7.2: 45 (direct-tcpip) or 48 (forwarded-tcpip) bytes + host + originator',
    },
    confirmationPayload: { value: 17, source: 'RFC 4254 section 5.1: type and four numbers' },
    compressionBytes: { value: 6, source: 'a repeated message is little more than its changed bytes' },
    confirmUs: { value: 10_000_000, source: 'the far end connects to the VPN server before it confirms' },
    signatureUs: { value: 3_000_000, source: '0.06 to 0.2 s recorded; slow computers need longer for TLS' },
  },
  minAnsweredShare: {
    value: 0.6,
    source: 'a client answers every poll of its own address; other small packets are answered with any size',
  },
  pollClock: {
    periodUs: {
      min: 5_040_000,
      max: 5_200_000,
      source:
        'Hub.c: HubWatchDogThread: 5,000 ms spread over the addresses and 100 ms of pause; recorded 5.097 to 5.102 s, also at 80 ms delay and 5 % loss. Timers of 5.0 s stay outside',
    },
    minPeriods: {
      value: 3,
      source:
        'facts, hard cases A4: 0 of 157 SSH flows and 0 of 489 converted flows have 1; one more for each kind',
    },
  },
  minRhythmShare: {
    value: 0.4,
    source:
      'answers of this size to anything else come at any time: 0.5 s of 5.1 s would fit one in ten by chance',
  },
  // The alert of 2004 also knew the identification strings of the SSH programs
  // that were built into SoftEther clients. Which they were is not published,
  // and 4.x and 5.x have none; add what you know, for instance
  // { prefix: 'SSH-2.0-Name', name: '...', source: '...' }.
  clientSoftware: [],
  verdict: {
    confirmed: [
      { all: ['start-script', 'poll-rhythm'], count: 1, of: ['additional-connection', 'first-records'] },
      { all: ['start-script', 'additional-connection', 'first-records', 'keep-alive'], count: 0, of: [] },
    ],
    likely: [
      { all: ['start-script'], count: 1, of: ['additional-connection', 'poll-rhythm', 'client-software'] },
      { all: ['start-script', 'first-records', 'keep-alive'], count: 0, of: [] },
      { all: ['start-script', 'channel-open', 'first-records', 'hub-poll'], count: 0, of: [] },
      { all: ['tolerant-script', 'poll-rhythm'], count: 1, of: ['poll-kinds', 'poll-clock'] },
      // Measured: none of 640 public and benign TLS flows, converted to 11 SSH packet shapes each, has
      // both kinds of poll by the hub's clock; 7 conversions have one.
      { all: ['poll-rhythm', 'poll-kinds'], count: 1, of: ['poll-clock', 'hub-poll'] },
    ],
    // One kind of poll without a log-in is nothing: OpenVPN's `ping 5` inside SSH looks like it.
    // Volumes alone are met by busy forwarded web applications (measured with made-up ones).
    suspected: [
      { all: ['start-script'], count: 1, of: ['channel-open', 'first-records'] },
      { all: ['client-software'], count: 0, of: [] },
    ],
  },
};
