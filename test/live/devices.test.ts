import assert from 'node:assert/strict';
import { test } from 'node:test';
import { captureArguments } from '#sealert/node/live/capture-tool.js';
import { parseDrops } from '#sealert/node/live/device-capture.js';
import { findDevice, parseDumpcapLine, parseTcpdumpLine } from '#sealert/node/live/devices.js';

test('what the tools list', () => {
  assert.deepEqual(parseDumpcapLine('3. lo\t\tLoopback\t0\t127.0.0.1,::1\tloopback\t'), {
    number: 3,
    name: 'lo',
    description: 'Loopback',
    addresses: ['127.0.0.1', '::1'],
  });
  assert.deepEqual(
    parseDumpcapLine(
      '1. \\Device\\NPF_{4F0C2A3B-0000-4000-8000-0123456789AB}\tRealtek PCIe GbE\tEthernet 2\t0\t\tnetwork\t',
    ),
    {
      number: 1,
      name: '\\Device\\NPF_{4F0C2A3B-0000-4000-8000-0123456789AB}',
      description: 'Ethernet 2',
      addresses: [],
    },
  );
  assert.deepEqual(parseTcpdumpLine('2.any (Pseudo-device that captures on all interfaces) [Up, Running]'), {
    number: 2,
    name: 'any',
    description: 'Pseudo-device that captures on all interfaces',
    addresses: [],
  });
  assert.equal(parseTcpdumpLine('1.en0 [Up, Running, Wireless, Associated]')?.name, 'en0');
  assert.equal(parseDumpcapLine('Local interfaces are unavailable'), undefined);
  assert.equal(parseTcpdumpLine(''), undefined);
});

test('a device is meant by its name before its number, and by what people call it', () => {
  const device = (number: number, name: string, description = '') => ({
    number,
    name,
    description,
    addresses: [],
  });
  const devices = [device(1, 'eth0'), device(2, '1'), device(3, 'npf', 'Ethernet 2')];
  assert.equal(findDevice(devices, 'eth0')?.number, 1);
  assert.equal(findDevice(devices, '1')?.number, 2);
  assert.equal(findDevice(devices, '3')?.name, 'npf');
  assert.equal(findDevice(devices, 'ethernet 2')?.name, 'npf');
  assert.equal(findDevice(devices, '4'), undefined);
  assert.equal(findDevice(devices, ''), undefined);
});

test('the arguments of the tools: the filter is one argument and cannot become an option', () => {
  const settings = { promiscuous: false, snapLen: 200, filter: '-w /etc/passwd; reboot', bufferMib: 8 };
  assert.deepEqual(captureArguments({ name: 'dumpcap', path: '' }, 'eth0', settings), [
    ...['-q', '-n', '-i', 'eth0', '-w', '-', '-p', '-s', '200', '-B', '8'],
    ...['-f', '-w /etc/passwd; reboot'],
  ]);
  assert.deepEqual(captureArguments({ name: 'tcpdump', path: '' }, 'eth0', settings), [
    ...['-U', '-i', 'eth0', '-w', '-', '-p', '-s', '200', '-B', '8192'],
    ...['--', '-w /etc/passwd; reboot'],
  ]);
});

test('the counts of dropped packets in the words of the tools', () => {
  const dumpcap =
    "Packets received/dropped on interface 'eth0': 17/10 (pcap:1/dumpcap:2/flushed:3/ps_ifdrop:4) (63.0%)";
  assert.deepEqual(parseDrops(dumpcap), { kernel: 5, tool: 5 });
  assert.deepEqual(parseDrops('3 packets dropped by kernel'), { kernel: 3, tool: 0 });
  assert.deepEqual(
    parseDrops('tcpdump: 5 packets captured, 5 packets received by filter, 1 packet dropped by kernel'),
    { kernel: 1, tool: 0 },
  );
  assert.equal(parseDrops('5 packets received by filter'), undefined);
});
