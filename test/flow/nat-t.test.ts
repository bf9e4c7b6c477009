import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type NatTMessage, readNatT } from '#sealert/flow/rudp/nat-t.js';
import { readPack } from '#sealert/flow/rudp/pack.js';
import { readDnsQuestion } from '#sealert/wire/dns-question.js';
import { ascii, hex, join } from '../support/rudp.js';

const int = (value: number) =>
  Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
const element = (name: string, type: number, value: Uint8Array) =>
  join(int(name.length + 1), ascii(name), int(type), int(1), value);
const textElement = (name: string, value: string) => element(name, 2, join(int(value.length), ascii(value)));
const numberElement = (name: string, value: number) => element(name, 0, int(value));
const pack = (...elements: Uint8Array[]) => join(int(elements.length), ...elements);

/// Reads bytes that lie inside others.
function read(bytes: Uint8Array): NatTMessage | null {
  return readNatT(join(new Uint8Array(5).fill(0x41), bytes, new Uint8Array(40).fill(0x42)), 5, bytes.length);
}

test('what a server registers', () => {
  const message = read(
    pack(
      textElement('host_name', 'vm'),
      textElement('machine_key', '06450C5BC1E9A797'),
      textElement('opcode', 'nat_t_register'),
      numberElement('private_port', 49_382),
      textElement('product_str', 'SoftEther OSS'),
      textElement('svc_name', 'SoftEther_VPN'),
      element('tran_id', 4, new Uint8Array(8)),
      textElement('ddns_fqdn', ''),
    ),
  );
  assert.ok(message?.kind === 'pack');
  assert.deepEqual([message.opcode, message.ok, message.isSoftEther], ['nat_t_register', null, true]);
  assert.deepEqual([message.hostName, message.product, message.ddnsName], ['vm', 'SoftEther OSS', null]);
});

test('what a client asks, and the answer', () => {
  const opcode = textElement('opcode', 'nat_t_connect_request');
  const asked = read(
    pack(textElement('dest_ip', '203.0.113.10'), opcode, textElement('target_hostname', 'vpn.lab')),
  );
  assert.ok(asked?.kind === 'pack');
  assert.deepEqual([asked.serverAddress, asked.targetHost, asked.ok], ['203.0.113.10', 'vpn.lab', null]);
  const answered = read(pack(numberElement('ok', 1), opcode, numberElement('result_port', 5_369)));
  assert.ok(answered?.kind === 'pack');
  assert.deepEqual([answered.ok, answered.isSoftEther], [true, false]);
});

test('where a message came from, as the server tells it', () => {
  assert.deepEqual(read(ascii('IP=10.1.0.11,PORT=49382')), { kind: 'endpoint' });
  for (const other of [
    'A',
    'IP=10.1.0.256,PORT=1',
    'IP=256.1.0.1,PORT=1',
    'IP=10.1.0.1,PORT=0',
    'IP=10.1.0.1,PORT=65536',
    'IP=,PORT=',
  ]) {
    assert.equal(read(ascii(other)), null, other);
  }
});

test('a PACK is read whole or not at all', () => {
  const whole = pack(
    textElement('A', 'x'),
    numberElement('b', 7),
    element('c', 1, join(int(2), hex('0102'))),
  );
  assert.deepEqual(
    readPack(whole, 0, whole.length),
    new Map<string, unknown>([
      ['a', 'x'],
      ['b', 7],
      ['c', hex('0102')],
    ]),
  );
  for (let length = 0; length < whole.length; length++) assert.equal(readPack(whole, 0, length), null);
  assert.equal(readPack(join(whole, hex('00')), 0, whole.length + 1), null);
  const huge = join(int(1), int(2), ascii('a'), int(0), int(0xffff_ffff));
  assert.equal(readPack(huge, 0, huge.length), null);
});

test('whatever comes, nothing throws and nothing outside is read', () => {
  const valid = pack(textElement('opcode', 'get_token'), numberElement('ok', 1));
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.tuple(fc.nat(valid.length - 1), fc.integer({ min: 0, max: 255 })).map(([at, value]) => {
      const changed = valid.slice();
      changed[at] = value;
      return changed;
    }),
  );
  fc.assert(
    fc.property(bytes, (bytes) => {
      assert.deepEqual(read(bytes), readNatT(bytes, 0, bytes.length));
      readDnsQuestion(bytes, 0, bytes.length);
    }),
    { numRuns: 1_000 },
  );
});

test('the question of a DNS message', () => {
  const query = join(
    hex('c0ff01000001000000000000'),
    hex('0278320278330a'),
    ascii('uxcom-test'),
    hex('0000010001'),
  );
  assert.equal(readDnsQuestion(query, 0, query.length), 'x2.x3.uxcom-test');
  assert.equal(readDnsQuestion(query, 0, 20), null);
  assert.equal(readDnsQuestion(join(query.slice(0, 12), hex('c00c')), 0, 14), null);
  assert.equal(readDnsQuestion(join(hex('c0ff01000000000000000000'), hex('0278320000010001')), 0, 20), null);
});
