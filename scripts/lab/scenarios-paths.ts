/** Sessions by what their path does to them, by how long they last, and by who else is there. */
import { DIRECT, SAMPLE, type SessionScenario } from './scenario-types.js';
import type { Path } from './wires.js';

const TCP_ONLY = { ...DIRECT, udp: false } as const;
const ONE = { ...TCP_ONLY, qos: false, connections: 1 } as const;
const UDP = { ...DIRECT, udp: true, udpAcceleration: true } as const;

/** Half of the delay on either side of the capture point. */
function around(wire: { delay: number; jitter?: number; loss?: number }): { path: Path } {
  return { path: { client: wire, server: wire } };
}

const CONDITIONS: readonly SessionScenario[] = [
  {
    ...UDP,
    path: { server: { delay: 20 } },
    name: 'rtt40-default',
    description: 'clean round trip of 40 ms, client defaults',
    seconds: 24,
  },
  {
    ...TCP_ONLY,
    path: { server: { delay: 60 } },
    name: 'rtt120-tcp8',
    description: 'clean round trip of 120 ms, 8 TCP connections',
    maxTcp: 8,
    connections: 8,
    seconds: 24,
  },
  {
    ...TCP_ONLY,
    ...around({ delay: 40, loss: 1 }),
    name: 'loss1-delay80',
    description: '1 % loss and 40 ms each way on both sides of the capture point',
    seconds: 24,
  },
  {
    ...TCP_ONLY,
    ...around({ delay: 40, loss: 5 }),
    name: 'loss5-delay80',
    description: '5 % loss and 40 ms each way on both sides of the capture point',
    seconds: 30,
  },
  {
    ...TCP_ONLY,
    ...SAMPLE,
    ...around({ delay: 40, jitter: 15 }),
    name: 'jitter-reorder',
    description: '40 ms with 15 ms of jitter each way on both sides (reordering), 4 TCP connections',
    maxTcp: 4,
    connections: 4,
    seconds: 24,
  },
  {
    ...UDP,
    ...around({ delay: 10, loss: 3 }),
    name: 'loss3-udp',
    description: '3 % loss, 40 ms, UDP acceleration',
    seconds: 30,
  },
  { ...TCP_ONLY, path: { mtu: 1280 }, name: 'mtu1280', description: 'MTU 1280 at the client' },
  {
    ...TCP_ONLY,
    path: { offload: true },
    name: 'gso',
    description: 'segmentation offloads on: super-sized segments, partial checksums',
    activity: 'bulk',
  },
  {
    ...TCP_ONLY,
    points: ['trunk'],
    sample: ['trunk'],
    path: { client: { vlan: 100 } },
    name: 'vlan',
    description: 'VLAN 100 tagged frames, recorded on the trunk',
  },
  {
    ...TCP_ONLY,
    ...SAMPLE,
    name: 'ipv6',
    description: 'IPv6 transport',
    ipv6: true,
    serverAs: 'name',
  },
  {
    ...TCP_ONLY,
    name: 'ipv6-5555-tcp4',
    description: 'IPv6 transport, 4 TCP connections on 5555',
    ipv6: true,
    serverAs: 'name',
    port: 5555,
    maxTcp: 4,
    connections: 4,
  },
];

const LENGTHS: readonly SessionScenario[] = [
  {
    ...UDP,
    ...SAMPLE,
    name: 'udp-accel-late',
    description: 'traffic only after UDP acceleration became active',
    activity: 'late',
    seconds: 30,
  },
  {
    ...UDP,
    name: 'iperf-udp',
    description: 'bulk transfer after UDP acceleration became active',
    activity: 'bulk',
    seconds: 30,
  },
  { ...ONE, name: 'iperf', description: 'bulk transfer in both directions', activity: 'bulk' },
  {
    ...TCP_ONLY,
    name: 'iperf-tcp8',
    description: 'bulk transfer with 8 TCP connections',
    maxTcp: 8,
    connections: 8,
    activity: 'bulk',
  },
  { ...ONE, name: 'idle-180', description: 'three minutes idle', activity: 'idle', seconds: 180 },
  {
    ...TCP_ONLY,
    name: 'idle-120-tcp8',
    description: 'two minutes idle, 8 TCP connections',
    maxTcp: 8,
    connections: 8,
    activity: 'idle',
    seconds: 120,
  },
  {
    ...UDP,
    name: 'idle-120-udp',
    description: 'two minutes idle with UDP acceleration',
    qos: false,
    connections: 1,
    activity: 'idle',
    seconds: 120,
  },
  {
    ...ONE,
    name: 'idle-120-quiet',
    description: 'two minutes with nothing at all in the tunnel',
    activity: 'none',
    seconds: 120,
  },
  {
    ...ONE,
    ...SAMPLE,
    name: 'idle-120-noenc',
    description: 'two minutes idle, encryption off',
    encrypt: false,
    activity: 'idle',
    seconds: 120,
  },
  {
    ...TCP_ONLY,
    ...SAMPLE,
    name: 'midstream',
    description: 'the recording starts 8 s after the session',
    joinAfter: 8,
  },
  {
    ...TCP_ONLY,
    name: 'midstream-tcp8',
    description: 'the recording starts 15 s after the session, 8 TCP connections',
    joinAfter: 15,
    maxTcp: 8,
    connections: 8,
  },
  {
    ...UDP,
    name: 'midstream-udp-idle',
    description: 'the recording starts 15 s after the session, UDP acceleration, a minute idle',
    joinAfter: 15,
    activity: 'idle',
    seconds: 60,
  },
  {
    ...ONE,
    name: 'midstream-noenc',
    description: 'the recording starts 8 s after the session, encryption off',
    joinAfter: 8,
    encrypt: false,
  },
  {
    ...ONE,
    ...SAMPLE,
    name: 'reconnect',
    description: 'the path is cut for 24 s: the session lives on in a new connection or is made anew',
    cut: { after: 10, seconds: 24 },
    seconds: 55,
  },
  {
    ...ONE,
    name: 'reconnect-long',
    description: 'the path is cut for 60 s: the session times out, the client makes a new one',
    cut: { after: 10, seconds: 60 },
    seconds: 95,
    sessions: 2,
  },
];

const COMPANY: readonly SessionScenario[] = [
  {
    ...TCP_ONLY,
    ...SAMPLE,
    name: 'two-clients',
    description: 'two clients at once: 443 with 2 connections, 5555 with 4 and UDP acceleration',
    second: true,
    sessions: 2,
    seconds: 24,
  },
  {
    ...TCP_ONLY,
    ...SAMPLE,
    name: 'cascade',
    description: 'cascade connection from one server to another (8 TCP connections)',
    cascade: true,
    udp: true,
    seconds: 24,
  },
  {
    ...DIRECT,
    name: 'mixed-443',
    description: 'session beside ordinary HTTPS of the same client',
    beside: true,
    seconds: 24,
  },
];

const ANY_NUMBER = ({ connections: _, ...rest }: SessionScenario): SessionScenario => rest;

export const PATH_SESSIONS: readonly SessionScenario[] = [...CONDITIONS, ...LENGTHS, ...COMPANY].map((row) =>
  ['reconnect', 'reconnect-long', 'two-clients', 'cascade'].includes(row.name) ? ANY_NUMBER(row) : row,
);
