import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analyse } from '../support/analyse.js';
import { pcap } from '../support/capture-builder.js';
import { ENDS, playScript, START_US, type Step, softetherDialogue } from '../support/dialogue.js';
import { ethernet, ip, udp } from '../support/frames.js';
import { ascii } from '../support/rudp.js';

const say = (fromClient: boolean, ...records: number[]): Step => ({
  name: 'message',
  fromClient,
  afterUs: 1_000,
  records,
});
const PROBE = [say(true, 254), say(false, 454)];
const GREETING = [say(true, 2_000), say(false, 900)];
const REFUSED = [say(true, 3_400), say(false, 640)];
const ADMIN = [say(true, 1_000), say(false, 370)];
const CALLS = [say(true, 387), say(false, 756), say(true, 44), say(false, 7_927)];

function kinds(...steps: Step[][]): string[] {
  return analyse(pcap(playScript(steps.flat()))).sightings.map(({ kind }) => kind);
}

test('a refused log-in counts after the question with a known answer', () => {
  assert.deepEqual(kinds(PROBE, GREETING, REFUSED), ['attempt']);
  assert.deepEqual(kinds(GREETING, REFUSED), []);
  assert.deepEqual(kinds([say(true, 254), say(false, 3_000)], GREETING, REFUSED), []);
  assert.deepEqual(kinds(PROBE, GREETING, REFUSED, [say(true, 500)]), []);
});

test('a management connection, by its question or by its first calls', () => {
  assert.deepEqual(kinds(PROBE, GREETING, ADMIN, CALLS), ['management']);
  assert.deepEqual(kinds(GREETING, ADMIN, CALLS), ['management']);
  assert.deepEqual(kinds(GREETING, [say(true, 1_600), say(false, 370)], CALLS), ['management']);
  assert.deepEqual(kinds(GREETING, ADMIN, [say(true, 300), say(false, 700)]), []);
});

test('a session makes its server known to a log-in without the question', () => {
  const ends = { ...ENDS, client: '10.1.0.99' };
  const refused = playScript([...GREETING, ...REFUSED], { ends, startUs: START_US + 5_000_000 });
  const frames = [...softetherDialogue({ seed: 1 }), ...refused].sort((a, b) => a.timeUs - b.timeUs);
  const { sessions, sightings, servers } = analyse(pcap(frames));
  assert.equal(sessions.length, 1);
  assert.deepEqual(
    sightings.map(({ kind, client }) => [kind, client.ip]),
    [['attempt', '10.1.0.99']],
  );
  assert.equal(servers.length, 1);
  assert.deepEqual(
    [servers[0]!.ip, servers[0]!.ports, servers[0]!.clients, servers[0]!.sessions],
    [ENDS.server, [ENDS.serverPort], [ENDS.client, '10.1.0.99'], [sessions[0]!.id]],
  );
});

test('keep-alive packets are merged, with 16 frames at most', () => {
  const addresses = { source: '10.1.0.11', destination: '203.0.113.98' };
  const payload = ascii('Internet Connection Keep Alive Packet');
  const frames = Array.from({ length: 20 }, (_, i) => ({
    bytes: ethernet(ip(addresses, udp(40_000 + (i % 2), 80, payload))),
    timeUs: START_US + i * 50_000_000,
  }));
  const { sightings } = analyse(pcap(frames));
  assert.equal(sightings.length, 1);
  const [sighting] = sightings;
  assert.deepEqual([sighting!.kind, sighting!.count, sighting!.frames.length], ['keep-alive', 20, 16]);
  assert.deepEqual([sighting!.client.port, sighting!.server.port], [null, 80]);
});

test('names in DNS questions, whole labels only', () => {
  const ask = (...names: string[]) => {
    const frames = names.map((name, i) => {
      const labels = name.split('.').map((label) => String.fromCharCode(label.length) + label);
      const message = ascii(`\x12\x34\x01\0\0\x01\0\0\0\0\0\0${labels.join('')}\0\0\x01\0\x01`);
      const ends = { source: '10.1.0.11', destination: '10.1.0.1' };
      return { bytes: ethernet(ip(ends, udp(40_000, 53, message))), timeUs: START_US + i };
    });
    return analyse(pcap(frames)).sightings.map(({ kind }) => kind);
  };
  assert.deepEqual(ask('x2.x3.servers.nat-traversal.softether-network.net'), ['nat-traversal']);
  assert.deepEqual(ask('get-my-ip.ddns.SoftEther-Network.net'), ['dynamic-dns']);
  assert.deepEqual(ask('keepalive.softether.org'), ['keep-alive']);
  assert.deepEqual(ask('vpn1.vpnazure.net'), ['azure']);
  assert.deepEqual(ask('notsoftether.org'), []);
  assert.deepEqual(ask('softether.org.example.net'), []);
  // A question of 39 bytes, as long as the opening of R-UDP, then another from the same port.
  assert.deepEqual(ask('www.a-longname-x.tech', 'keepalive.softether.org'), ['keep-alive']);
});
