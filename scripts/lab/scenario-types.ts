/** What a row of the scenario tables can say. A new kind of condition gets a field here and its handling. */
import type { LookAlike } from './lookalikes.js';
import type { ServerTls } from './softether.js';
import type { CapturePoint } from './topology.js';
import type { Way } from './ways.js';
import type { Path } from './wires.js';

interface Common {
  readonly name: string;
  readonly description: string;
  /** Where it is recorded; of more than one point each has its own capture and label. */
  readonly points: readonly CapturePoint[];
  /** How long the session or the exchange lasts. */
  readonly seconds: number;
  /** Which of the recordings become samples of the project. */
  readonly sample: readonly CapturePoint[];
  readonly path?: Path;
}

/** 'standard' draws one of SoftEther's usual ports, 'odd' any high port. */
export type PortChoice = number | 'standard' | 'odd';

/** The server as its administrator set it up. */
export interface ServerSide {
  readonly port: PortChoice;
  readonly tls: ServerTls;
}

/**
 * What is done in the tunnel: `light` a few small things early and late, `late` only when UDP acceleration
 * carries them, `bulk` large transfers, `idle` a ping at either end, `none` not even an address.
 */
export type Use = 'light' | 'late' | 'bulk' | 'idle' | 'none';

export interface SessionScenario extends Common, ServerSide {
  readonly kind: 'session';
  readonly way: Way;
  readonly auth: 'password' | 'plain' | 'anonymous';
  readonly maxTcp: number;
  /** QoS on adds one connection to each session of one. */
  readonly qos: boolean;
  readonly udp: boolean | 'any';
  readonly encrypt: boolean;
  readonly compress: boolean;
  readonly half: boolean;
  readonly bridge: boolean;
  readonly interval: number;
  readonly ttl: number;
  readonly serverAs: 'address' | 'name' | 'any';
  readonly ipv6: boolean;
  readonly activity: Use;
  /** The recording starts this long after the session. */
  readonly joinAfter?: number;
  /** The path is cut for some seconds; the client tries again by itself. */
  readonly cut?: { readonly after: number; readonly seconds: number };
  /** The session is known to end before its time. */
  readonly dies?: boolean;
  /** A second client with a session of its own. */
  readonly second?: boolean;
  /** Ordinary HTTPS of the same client at the same time. */
  readonly beside?: boolean;
  /** A VPN server's cascade connection takes the client's place. */
  readonly cascade?: boolean;
  /** How many connections the session must come to have, and how many sessions there must be. */
  readonly connections?: number;
  readonly sessions?: number;
  readonly udpAcceleration?: boolean;
}

export interface AttemptScenario extends Common, ServerSide {
  readonly kind: 'attempt';
  readonly wrong: 'password' | 'hub' | 'no-server' | 'not-softether';
  readonly retries: number;
}

export interface ManagementScenario extends Common, ServerSide {
  readonly kind: 'management';
  readonly commands: readonly string[];
}

/** The server's own traffic when nobody uses it. */
export interface SelfScenario extends Common {
  readonly kind: 'self';
  readonly names: 'answered' | 'unanswered';
}

/** Another VPN protocol spoken to a SoftEther server. */
export interface CloneScenario extends Common, ServerSide {
  readonly kind: 'clone';
  readonly speaks: 'openvpn' | 'ike' | 'l2tp';
  readonly protocol: 'tcp' | 'udp';
}

export interface BenignScenario extends Common {
  readonly kind: 'benign';
  readonly lookAlike: LookAlike;
  readonly port: number;
  /** Drawn if it is not given. */
  readonly tlsVersion?: '1.2' | '1.3';
  /** What this look-alike is to do, in its own words. */
  readonly plan?: Readonly<Record<string, unknown>>;
}

export type SoftEtherScenario =
  | SessionScenario
  | AttemptScenario
  | ManagementScenario
  | SelfScenario
  | CloneScenario;
export type Scenario = SoftEtherScenario | BenignScenario;

export const COMMON = { points: ['client'], seconds: 18, sample: [] } as const;
export const SERVER = { port: 443, tls: 'any' } as const;
/** The client's defaults: one connection, and one more for QoS. */
export const DIRECT = {
  ...COMMON,
  ...SERVER,
  kind: 'session',
  way: { kind: 'direct' },
  auth: 'password',
  maxTcp: 1,
  qos: true,
  udp: true,
  encrypt: true,
  compress: false,
  half: false,
  bridge: false,
  interval: 1,
  ttl: 0,
  serverAs: 'any',
  ipv6: false,
  activity: 'light',
  connections: 2,
} as const satisfies Partial<SessionScenario>;
export const BENIGN = { ...COMMON, kind: 'benign', port: 443, seconds: 30 } as const;
export const SAMPLE = { sample: ['client'] } as const;
