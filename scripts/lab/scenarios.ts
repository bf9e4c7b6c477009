/**
 * The scenarios as data. To add one, add a row; a new kind of condition gets a
 * field here and its handling in play-softether.ts or lookalikes.ts.
 */
import type { LookAlike } from './lookalikes.js';
import type { CapturePoint } from './topology.js';

interface Common {
  readonly name: string;
  readonly description: string;
  readonly capturePoint: CapturePoint;
  /** How long the session or the exchange lasts. */
  readonly seconds: number;
  /** Whether the recording becomes one of the project's samples. */
  readonly sample: boolean;
}

/** 'standard' draws one of SoftEther's usual ports, 'odd' any high port. */
export type PortChoice = number | 'standard' | 'odd';

/** The server as its administrator set it up. */
interface ServerSide {
  readonly port: PortChoice;
  readonly tls12Only: boolean;
}

export interface SessionScenario extends Common, ServerSide {
  readonly kind: 'session';
  readonly carrier: 'tcp';
  readonly auth: 'password';
  readonly maxTcp: number;
  /** QoS on adds one connection to each session. */
  readonly qos: boolean;
  readonly udp: boolean | 'any';
  readonly serverAs: 'address' | 'any';
  readonly activity: 'light' | 'none';
  /** How many TCP connections the session must come to have. */
  readonly connections: number;
}

export interface AttemptScenario extends Common, ServerSide {
  readonly kind: 'attempt';
  readonly retries: number;
}

export interface ManagementScenario extends Common, ServerSide {
  readonly kind: 'management';
  readonly commands: readonly string[];
}

export interface BenignScenario extends Common {
  readonly kind: 'benign';
  readonly lookAlike: LookAlike;
  readonly port: number;
}

export type SoftEtherScenario = SessionScenario | AttemptScenario | ManagementScenario;
export type Scenario = SoftEtherScenario | BenignScenario;

const COMMON = { capturePoint: 'client', seconds: 18, sample: true } as const;
const SERVER = { port: 443, tls12Only: false } as const;
const DIRECT = {
  ...COMMON,
  ...SERVER,
  kind: 'session',
  carrier: 'tcp',
  auth: 'password',
  maxTcp: 1,
  qos: true,
  udp: true,
  serverAs: 'any',
  activity: 'light',
  connections: 2,
} as const;
const BENIGN = { ...COMMON, kind: 'benign', port: 443, seconds: 30 } as const;

const SESSIONS: readonly SessionScenario[] = [
  {
    ...DIRECT,
    name: 'direct-default',
    description: 'direct TLS, all client defaults (1 TCP connection + QoS = 2, UDP acceleration allowed)',
    serverAs: 'address',
  },
  {
    ...DIRECT,
    name: 'direct-noqos',
    description: 'direct TLS, truly one TCP connection (QoS off, UDP acceleration off)',
    qos: false,
    udp: false,
    connections: 1,
  },
  {
    ...DIRECT,
    name: 'direct-tcp8',
    description: 'direct TLS, 8 TCP connections (QoS off)',
    maxTcp: 8,
    qos: false,
    udp: 'any',
    connections: 8,
  },
  {
    ...DIRECT,
    name: 'direct-tls12',
    description: 'direct TLS to a server limited to TLS 1.2',
    tls12Only: true,
    port: 'standard',
    udp: 'any',
  },
  {
    ...DIRECT,
    name: 'direct-odd-port',
    description: 'direct TLS to a random high port',
    port: 'odd',
    udp: 'any',
    sample: false,
  },
  {
    ...DIRECT,
    name: 'direct-quiet',
    description: 'direct TLS with nothing at all inside the tunnel: keep-alives only',
    seconds: 40,
    port: 'standard',
    udp: false,
    activity: 'none',
  },
];

const OTHERS: readonly (AttemptScenario | ManagementScenario)[] = [
  {
    ...COMMON,
    ...SERVER,
    kind: 'attempt',
    name: 'failed-login',
    description: 'wrong password, the client tries again every 5 s',
    retries: 3,
  },
  {
    ...COMMON,
    ...SERVER,
    kind: 'management',
    name: 'management',
    description: 'server administration with vpncmd',
    commands: [
      'ServerInfoGet',
      'ServerStatusGet',
      'HubList',
      'Hub VPN',
      'UserList',
      'SessionList',
      'MacTable',
      'LogGet',
      'ListenerList',
      'Caps',
    ],
  },
];

const LOOK_ALIKES: readonly BenignScenario[] = [
  {
    ...BENIGN,
    name: 'benign-https-posts',
    description: 'HTTPS keep-alive: POSTs of 1400-3500 bytes, answers of 300-1300 or 2000-3800 bytes',
    lookAlike: 'https-posts',
  },
  {
    ...BENIGN,
    name: 'benign-websocket-login',
    description:
      'two connections with a login of two POSTs each, then WebSocket frames both ways with ping/pong',
    lookAlike: 'websocket-login',
  },
  {
    ...BENIGN,
    name: 'benign-openvpn-tcp443',
    description: 'OpenVPN over TCP 443',
    lookAlike: 'openvpn',
    seconds: 20,
  },
  { ...BENIGN, name: 'benign-ssh', description: 'interactive SSH session', lookAlike: 'ssh', port: 22 },
  {
    ...BENIGN,
    name: 'benign-http2',
    description: 'HTTP/2: many requests in one connection',
    lookAlike: 'http2',
    seconds: 20,
  },
  {
    ...BENIGN,
    name: 'benign-mqtt',
    description: 'MQTT over TLS: subscription with keep-alive and now and then a message',
    lookAlike: 'mqtt',
    port: 8883,
  },
  {
    ...BENIGN,
    name: 'benign-json-rpc',
    description: 'agent that logs in and then posts JSON of random size every 4-6 s in one connection',
    lookAlike: 'json-rpc',
    seconds: 45,
  },
  {
    ...BENIGN,
    name: 'benign-stunnel-echo',
    description: 'stunnel around an interactive echo protocol',
    lookAlike: 'stunnel-echo',
    port: 992,
  },
];

export const SCENARIOS: readonly Scenario[] = [...SESSIONS, ...OTHERS, ...LOOK_ALIKES];
