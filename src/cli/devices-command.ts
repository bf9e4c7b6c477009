/// `sealert devices`, and the choice of devices for `sealert live`.

import { createInterface } from 'node:readline/promises';
import {
  type CaptureTool,
  findCaptureTool,
  installAdvice,
  permissionAdvice,
} from '../node/live/capture-tool.js';
import { type Device, findDevice, listDevices } from '../node/live/devices.js';
import { VERSION } from '../node/version.js';
import { jsonDocument } from '../report/json.js';
import { printable } from '../report/text.js';
import type { DevicesRequest } from './arguments.js';
import { EXIT } from './exit-code.js';
import { say } from './messages.js';
import { writeText } from './outputs.js';
import { UsageError } from './usage-error.js';

export async function runDevices({ format, captureTool }: DevicesRequest): Promise<number> {
  const found = await findDevices(captureTool);
  if (found === undefined) return EXIT.nothingRead;
  const { devices } = found;
  const text = format === 'json' ? jsonDocument(devices) : deviceList(devices);
  return writeText(text);
}

/// The tool that captures and the devices it offers; undefined, with a message, if there is none.
export async function findDevices(
  wantedTool: string | undefined,
): Promise<{ tool: CaptureTool; devices: Device[] } | undefined> {
  const tool = await findCaptureTool(wantedTool);
  if (tool === undefined) {
    const what = wantedTool ?? 'dumpcap or tcpdump';
    say(`${what} was not found; sealert captures with dumpcap or tcpdump. ${installAdvice()}`);
    return undefined;
  }
  try {
    const devices = await listDevices(tool);
    if (devices.length > 0) return { tool, devices };
    say(`${tool.path} offers no network device. ${permissionAdvice(tool)}`);
  } catch (error) {
    say(`${tool.path} could not list the network devices: ${(error as Error).message.trim()}`);
    say(permissionAdvice(tool));
  }
  return undefined;
}

/// The devices as they were listed in 2004: a title, and a line with a number for each.
export function deviceList(devices: readonly Device[]): string {
  const lines = devices.map(({ number, name, description, addresses }) => {
    const named = description === '' ? name : `${name}  ${description}`;
    const where = addresses.length === 0 ? '' : `  (${addresses.join(', ')})`;
    return printable(`${String(number).padStart(3)}. ${named}${where}`);
  });
  return `Network Devices:\n${lines.join('\n')}\n`;
}

/// Asks until there is an answer that names a device; undefined at the end of the input.
export async function askForDevice(devices: readonly Device[]): Promise<Device | undefined> {
  process.stderr.write(`SoftEther Alert (sealert ${VERSION})\n\n${deviceList(devices)}\n`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const ended = new Promise<undefined>((resolve) => terminal.on('close', () => resolve(undefined)));
    for (;;) {
      const answer = await Promise.race([terminal.question('Device ID>'), ended]);
      if (answer === undefined) return undefined;
      const device = findDevice(devices, answer.trim());
      if (device !== undefined) return device;
      process.stderr.write(`There is no device "${printable(answer.trim())}".\n`);
    }
  } finally {
    terminal.close();
  }
}

/// The names of the devices that are meant; without one in the list, `wait`
/// takes the word for the name of one that is to come.
export function resolveDevices(
  devices: readonly Device[],
  wanted: readonly string[],
  wait: boolean,
): string[] {
  const names = wanted.map((word) => {
    const device = findDevice(devices, word);
    if (device !== undefined) return device.name;
    if (wait && !/^\d+$/.test(word)) return word;
    const known = devices.map(({ number, name }) => `${number}. ${name}`).join(', ');
    throw new UsageError(`There is no device "${word}"; there are: ${known}.`);
  });
  return [...new Set(names)];
}
