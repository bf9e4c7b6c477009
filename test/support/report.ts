/// Sample reports in a few lines: every builder fills in what a test does not name.

import {
  type Connection,
  type Evidence,
  type Input,
  newDiagnostics,
  type Report,
  type Session,
  type Sighting,
} from '#sealert/report/model.js';

/// A connection of 64 seconds between documentation addresses.
export function connection(changes: Partial<Connection> = {}): Connection {
  return {
    protocol: 'tcp',
    role: 'primary',
    client: { ip: '10.1.0.10', port: 36320 },
    server: { ip: '203.0.113.10', port: 443 },
    start: '2026-11-23T01:01:58.123456Z',
    end: '2026-11-23T01:03:02.623457Z',
    bytesFromClient: 1_234_567,
    bytesFromServer: 56_700,
    packets: 2100,
    communityId: '1:LQU9qZlK+B5F3KDmev6m5PMibrg=',
    ...changes,
  };
}

export function evidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    feature: 'session-script',
    detail: 'the turns of a log-in to a virtual hub, with the lengths that SoftEther gives them',
    frames: [4, 6, 8, 11, 12].map((frame) => ({ input: 0, frame })),
    strength: 'decisive',
    ...changes,
  };
}

/// A confirmed session over one TCP connection.
export function session(changes: Partial<Session> = {}): Session {
  return {
    id: '5f1c09aa42d0',
    verdict: 'confirmed',
    carrier: 'tcp',
    software: {
      product: 'SoftEther VPN',
      client: { generation: '5.x' },
      server: { generation: '5.x' },
    },
    client: { ip: '10.1.0.10', port: 36320 },
    server: { ip: '203.0.113.10', port: 443 },
    start: '2026-11-23T01:01:58.123456Z',
    end: '2026-11-23T01:03:02.623457Z',
    startCaptured: true,
    connections: [connection()],
    evidence: [evidence()],
    against: [],
    caveats: [],
    ...changes,
  };
}

export function sighting(changes: Partial<Sighting> = {}): Sighting {
  return {
    kind: 'nat-traversal',
    firstSeen: '2026-11-23T01:00:00.000000Z',
    lastSeen: '2026-11-23T01:10:00.000000Z',
    count: 21,
    client: { ip: '10.1.0.10', port: 40001 },
    server: { ip: '203.0.113.77', port: 5004 },
    detail: 'a server registers itself for NAT traversal',
    frames: [{ input: 0, frame: 1 }],
    ...changes,
  };
}

export function input(changes: Partial<Input> = {}): Input {
  return {
    path: 'capture.pcapng',
    format: 'pcapng',
    compression: null,
    bytes: 2_000_000,
    packets: 12_345,
    firstPacket: '2026-11-23T01:00:00.000000Z',
    lastPacket: '2026-11-23T01:10:00.999999Z',
    damage: [],
    ...changes,
  };
}

/// An input that nothing could be read from.
export function unreadableInput(path: string, error: string): Input {
  const nothing = { format: null, bytes: 0, packets: 0, firstPacket: null, lastPacket: null };
  return input({ path, error, ...nothing });
}

/// A complete run over one undamaged capture without findings.
export function report(changes: Partial<Report> = {}): Report {
  return {
    schemaVersion: 1,
    tool: { name: 'sealert', version: '0.1.0' },
    run: {
      command: 'sealert scan capture.pcapng',
      startedAt: '2026-11-24T00:00:00.000Z',
      finishedAt: '2026-11-24T00:00:01.000Z',
      complete: true,
      otherFiles: 0,
    },
    inputs: [input()],
    sessions: [],
    sightings: [],
    servers: [],
    diagnostics: {
      ...newDiagnostics(),
      packets: 12_345,
      bytes: 1_900_000,
      nonIpPackets: 7,
      flows: { tcp: 3, udp: 2, icmp: 0 },
    },
    ...changes,
  };
}

/// A report in which every optional field is set and every list has an element.
export function fullReport(): Report {
  return report({
    inputs: [
      input({
        compression: 'gzip',
        droppedByCapture: 3,
        damage: [
          {
            offset: 1_999_000,
            reason: 'the file ends inside a block',
            bytesLost: 1000,
            afterFrame: 12_345,
            from: '2026-11-23T01:10:00.999999Z',
            to: null,
          },
        ],
        damageLeftOut: { places: 2, bytesLost: 70 },
        clockJumps: [{ frame: 7, seconds: -3600.5 }],
        cut: { packets: 12, longest: 96 },
        limitsHit: { interfaces: 3 },
      }),
      unreadableInput('notes.txt', 'found text, expected a capture'),
    ],
    sessions: [
      session({
        carrier: 'http-proxy',
        server: { ip: '198.51.100.5', port: 3128 },
        target: { host: 'vpn.example.net', port: 443 },
        against: [{ feature: 'keep-alive', detail: 'no keep-alive was seen for 70 s' }],
        caveats: ['one direction only'],
      }),
      session({
        id: '0a4be7715c9d',
        verdict: 'suspected',
        carrier: 'icmp',
        software: { product: 'SoftEther VPN', client: { generation: '4.x' }, server: { generation: null } },
        client: { ip: '10.1.0.10', port: null },
        server: { ip: '203.0.113.10', port: null },
        connections: [
          connection({
            protocol: 'icmp',
            role: 'carrier',
            client: { ip: '10.1.0.10', port: null },
            server: { ip: '203.0.113.10', port: null },
          }),
        ],
        evidence: [evidence({ strength: 'supporting' })],
      }),
    ],
    sightings: [sighting()],
    servers: [
      {
        ip: '203.0.113.10',
        ports: [443, 992],
        names: ['vpn.example.net'],
        certificate: {
          subject: 'CN=vpn.example.net',
          issuer: 'CN=vpn.example.net',
          notBefore: '2026-01-01T00:00:00.000000Z',
          notAfter: '2036-01-01T00:00:00.000000Z',
          sha256: '5f1c09aa42d07e3b5f1c09aa42d07e3b5f1c09aa42d07e3b5f1c09aa42d07e3b',
        },
        clients: ['10.1.0.10'],
        firstSeen: '2026-11-23T01:01:58.123456Z',
        lastSeen: '2026-11-23T01:03:02.623457Z',
        sessions: ['5f1c09aa42d0'],
      },
    ],
    diagnostics: {
      ...report().diagnostics,
      oneSidedFlows: 1,
      limitsHit: { flows: 2 },
      undecodable: { ip: { 'header too short': 2 }, tcp: { 'header too short': 1 } },
    },
  });
}

/// The text of a writer in one piece.
export function textOf(pieces: Iterable<string>): string {
  return [...pieces].join('');
}
