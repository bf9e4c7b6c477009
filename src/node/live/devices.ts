/// The network devices that the capture tool offers, numbered from 1 as it numbers them.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { CaptureTool } from './capture-tool.js';

export interface Device {
  number: number;
  /// What the tool calls it, such as `eth0` or `\Device\NPF_{...}`.
  name: string;
  /// What people call it, or empty.
  description: string;
  addresses: string[];
}

/// A tool that lists devices is done at once; one that hangs should not hang us.
const LIST_TIMEOUT_MS = 20_000;

/// Rejects with the tool's own words if it cannot tell.
export async function listDevices({ name, path }: CaptureTool): Promise<Device[]> {
  const isDumpcap = name === 'dumpcap';
  const { stdout } = await promisify(execFile)(path, isDumpcap ? ['-D', '-M'] : ['-D'], {
    timeout: LIST_TIMEOUT_MS,
  });
  const lines = stdout.split(/\r?\n/).filter((line) => line !== '');
  return lines.flatMap((line) => (isDumpcap ? parseDumpcapLine(line) : parseTcpdumpLine(line)) ?? []);
}

/// `3. lo<TAB>vendor's name<TAB>Loopback<TAB>0<TAB>127.0.0.1,::1<TAB>loopback`
export function parseDumpcapLine(line: string): Device | undefined {
  const [head = '', vendor = '', friendly = '', , addresses = ''] = line.split('\t');
  const found = /^(\d+)\. (.+)$/.exec(head);
  if (found === null) return undefined;
  return {
    number: Number(found[1]),
    name: found[2]!,
    description: friendly || vendor,
    addresses: addresses.split(',').filter((address) => address !== ''),
  };
}

/// `2.any (Pseudo-device that captures on all interfaces) [Up, Running]`
export function parseTcpdumpLine(line: string): Device | undefined {
  const found = /^(\d+)\.(\S+)(?: \((.*)\))?(?: \[[^\]]*\])?$/.exec(line);
  if (found === null) return undefined;
  return { number: Number(found[1]), name: found[2]!, description: found[3] ?? '', addresses: [] };
}

/// The device that is meant: by its name, else by its number, else by what people call it.
export function findDevice(devices: readonly Device[], wanted: string): Device | undefined {
  return (
    devices.find(({ name }) => name === wanted) ??
    devices.find(({ number }) => /^\d+$/.test(wanted) && number === Number(wanted)) ??
    devices.find(
      ({ description }) => description !== '' && description.toLowerCase() === wanted.toLowerCase(),
    )
  );
}
