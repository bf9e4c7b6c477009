/** Look-alikes: ordinary traffic that resembles SoftEther's. */
import { BENIGN, type BenignScenario, SAMPLE } from './scenario-types.js';
import { CARRIED_ROWS, VPN_ROWS } from './scenarios-benign-carried.js';

export const FIRST_LOOK_ALIKES: readonly BenignScenario[] = [
  {
    ...BENIGN,
    ...SAMPLE,
    name: 'benign-https-posts',
    description: 'HTTPS keep-alive: POSTs of 1400-3500 bytes, answers of 300-1300 or 2000-3800 bytes',
    lookAlike: 'https-posts',
  },
  {
    ...BENIGN,
    ...SAMPLE,
    name: 'benign-websocket-login',
    description:
      'two connections with a login of two POSTs each, then WebSocket frames both ways with ping/pong',
    lookAlike: 'websocket-login',
  },
  {
    ...BENIGN,
    ...SAMPLE,
    name: 'benign-openvpn-tcp443',
    description: 'OpenVPN over TCP 443',
    lookAlike: 'openvpn',
    seconds: 20,
  },
  {
    ...BENIGN,
    ...SAMPLE,
    name: 'benign-ssh',
    description: 'interactive SSH session',
    lookAlike: 'ssh',
    port: 22,
  },
  {
    ...BENIGN,
    ...SAMPLE,
    name: 'benign-http2',
    description: 'HTTP/2: many requests in one connection',
    lookAlike: 'http2',
    seconds: 20,
  },
  {
    ...BENIGN,
    ...SAMPLE,
    name: 'benign-mqtt',
    description: 'MQTT over TLS: subscription with keep-alive and now and then a message',
    lookAlike: 'mqtt',
    port: 8883,
  },
  {
    ...BENIGN,
    ...SAMPLE,
    name: 'benign-json-rpc',
    description: 'agent that logs in and then posts JSON of random size every 4-6 s in one connection',
    lookAlike: 'json-rpc',
    seconds: 45,
  },
  {
    ...BENIGN,
    ...SAMPLE,
    name: 'benign-stunnel-echo',
    description: 'stunnel around an interactive echo protocol',
    lookAlike: 'stunnel-echo',
    port: 992,
  },
];

const WEB = { ...BENIGN, lookAlike: 'web' } as const;
const SOCKET = { ...BENIGN, lookAlike: 'websocket' } as const;

const WEB_ROWS: readonly BenignScenario[] = [
  {
    ...WEB,
    name: 'neg-https-tls13-many',
    description: '12 separate TLS 1.3 fetches of small files',
    tlsVersion: '1.3',
    plan: { connections: 1, requests: 12, fresh: true, down: [100, 9000], pause: [200, 2500] },
  },
  {
    ...WEB,
    name: 'neg-https-tls12-many',
    description: '12 separate TLS 1.2 fetches of small files',
    tlsVersion: '1.2',
    plan: { connections: 1, requests: 12, fresh: true, down: [100, 9000], pause: [200, 2500] },
  },
  {
    ...WEB,
    name: 'neg-https-tls12-8443',
    description: 'TLS 1.2 on port 8443, posts and fetches',
    tlsVersion: '1.2',
    port: 8443,
    plan: { connections: 3, requests: 9, up: [200, 3000], down: [100, 20000], pause: [200, 3000] },
  },
  {
    ...WEB,
    name: 'neg-https-992',
    description: "HTTPS on SoftEther's port 992",
    port: 992,
    plan: { connections: 2, requests: 12, down: [100, 4000], pause: [200, 3000] },
  },
  {
    ...WEB,
    name: 'neg-https-5555',
    description: "HTTPS on SoftEther's port 5555",
    port: 5555,
    plan: { connections: 2, requests: 12, up: [100, 900], down: [100, 4000], pause: [200, 3000] },
  },
  {
    ...WEB,
    name: 'neg-https-keepalive',
    description: 'one kept connection, 30 requests with pauses',
    seconds: 60,
    plan: { connections: 1, requests: 30, down: [100, 9000], pause: [400, 3500] },
  },
  {
    ...WEB,
    name: 'neg-https-parallel8',
    description: '8 kept connections of one client at once',
    plan: { connections: 8, requests: 10, down: [200, 30000], pause: [100, 3000] },
  },
  {
    ...WEB,
    name: 'neg-https-bigdown',
    description: '2 MB download',
    plan: { connections: 1, requests: 1, down: [2_000_000, 2_100_000], pause: [0, 100] },
  },
  {
    ...WEB,
    name: 'neg-https-bigpost',
    description: '1 MB upload',
    plan: { connections: 1, requests: 1, up: [1_000_000, 1_100_000], down: [10, 300], pause: [0, 100] },
  },
  {
    ...WEB,
    name: 'neg-https-post2000',
    description: 'posts of 1400-3500 bytes, each in a connection of its own, answers of 300-1300 bytes',
    plan: {
      connections: 1,
      requests: 12,
      fresh: true,
      up: [1400, 3500],
      down: [300, 1300],
      pause: [500, 2500],
    },
  },
  {
    ...WEB,
    ...SAMPLE,
    name: 'neg-longpoll',
    description: 'long polling: answers after 4-10 s, at once asked again',
    seconds: 60,
    plan: {
      connections: 2,
      requests: 20,
      up: [60, 500],
      down: [10, 500],
      pause: [0, 50],
      wait: [4000, 10000],
    },
  },
];

const APPLICATION_ROWS: readonly BenignScenario[] = [
  {
    ...SOCKET,
    name: 'neg-websocket',
    description: 'WebSocket with pings and small messages both ways',
    seconds: 50,
    plan: { connections: 1, login: false },
  },
  {
    ...SOCKET,
    name: 'neg-websocket-tls12',
    description: 'WebSocket over TLS 1.2 after a login of two posts',
    tlsVersion: '1.2',
    seconds: 45,
    plan: { connections: 2 },
  },
  {
    ...BENIGN,
    ...SAMPLE,
    name: 'neg-imaps',
    description: 'IMAP over TLS: login, fetches, IDLE for 4-8 s',
    lookAlike: 'mail',
    port: 993,
    seconds: 50,
    plan: { protocol: 'imap' },
  },
  {
    ...BENIGN,
    name: 'neg-smtps',
    description: 'SMTP over TLS: mails of 2-60 kB',
    lookAlike: 'mail',
    port: 465,
    plan: { protocol: 'smtp' },
  },
  {
    ...BENIGN,
    ...SAMPLE,
    name: 'neg-rdp',
    description: 'like a remote desktop: negotiation, TLS, small inputs up, graphics down',
    lookAlike: 'rdp',
    port: 3389,
    seconds: 40,
  },
  {
    ...BENIGN,
    name: 'neg-https-to-softether',
    description: 'HTTPS requests to a SoftEther server that are no VPN',
    lookAlike: 'browser-at-server',
    ...SAMPLE,
  },
  { ...BENIGN, name: 'neg-ssh-443', description: 'shell over SSH on port 443', lookAlike: 'ssh' },
  { ...BENIGN, name: 'neg-stunnel-ssh', description: 'SSH inside stunnel', lookAlike: 'stunnel-ssh' },
  { ...BENIGN, name: 'neg-scp', description: 'scp up and down', lookAlike: 'copies', port: 22 },
];

export const LOOK_ALIKE_ROWS: readonly BenignScenario[] = [
  ...WEB_ROWS,
  ...APPLICATION_ROWS,
  ...VPN_ROWS,
  ...CARRIED_ROWS,
];
