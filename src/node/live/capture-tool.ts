/// The program that captures for us. It is the only part that needs rights;
/// administrators have it already, and it runs with its own.

import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { basename, delimiter, isAbsolute, join } from 'node:path';

export const CAPTURE_TOOLS = ['dumpcap', 'tcpdump'] as const;

export interface CaptureTool {
  name: (typeof CAPTURE_TOOLS)[number];
  path: string;
}

export interface CaptureSettings {
  promiscuous: boolean;
  /// Bytes kept of each packet.
  snapLen?: number;
  /// In libpcap's filter language.
  filter?: string;
  /// Of the operating system, in MiB.
  bufferMib?: number;
}

/// Where the tools are installed without being in the search path.
const USUAL_FOLDERS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin'],
  darwin: ['/Applications/Wireshark.app/Contents/MacOS', '/opt/homebrew/bin', '/usr/local/bin', '/usr/sbin'],
  win32: ['C:\\Program Files\\Wireshark'],
};

/// The tool with this name or path, else the first that is installed.
export async function findCaptureTool(wanted?: string): Promise<CaptureTool | undefined> {
  if (wanted !== undefined && isAbsolute(wanted)) {
    const name = CAPTURE_TOOLS.find((tool) => basename(wanted).startsWith(tool));
    return name !== undefined && (await isProgram(wanted)) ? { name, path: wanted } : undefined;
  }
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const searched = (process.env.PATH ?? '').split(delimiter).filter(isAbsolute);
  const folders = [...searched, ...(USUAL_FOLDERS[process.platform] ?? [])];
  for (const name of CAPTURE_TOOLS.filter((tool) => wanted === undefined || tool === wanted)) {
    for (const folder of folders) {
      const path = join(folder, name + suffix);
      if (await isProgram(path)) return { name, path };
    }
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/// The tool's arguments for writing what passes on `device` to standard output.
export function captureArguments(tool: CaptureTool, device: string, settings: CaptureSettings): string[] {
  const { promiscuous, snapLen, filter, bufferMib } = settings;
  const common = ['-i', device, '-w', '-', ...(promiscuous ? [] : ['-p'])];
  if (snapLen !== undefined) common.push('-s', String(snapLen));
  if (tool.name === 'dumpcap') {
    if (bufferMib !== undefined) common.push('-B', String(bufferMib));
    return ['-q', '-n', ...common, ...(filter === undefined ? [] : ['-f', filter])];
  }
  // Without -U packets would wait for a full buffer; tcpdump counts its buffer in KiB.
  if (bufferMib !== undefined) common.push('-B', String(bufferMib * 1024));
  return ['-U', ...common, ...(filter === undefined ? [] : ['--', filter])];
}

/// How to get one of the tools, and how to let it capture without root.
export function installAdvice(): string {
  switch (process.platform) {
    case 'darwin':
      return 'Install Wireshark with its ChmodBPF package, which lets members of access_bpf capture (brew install --cask wireshark-app); tcpdump is part of macOS and needs sudo.';
    case 'win32':
      return 'Install Wireshark together with Npcap from https://www.wireshark.org/; dumpcap.exe comes with it.';
    default:
      return 'Install one: apt install wireshark-common (dumpcap), dnf install wireshark-cli, or apt install tcpdump.';
  }
}

/// What to do when the tool may not capture.
export function permissionAdvice({ name, path }: CaptureTool): string {
  if (process.platform === 'darwin')
    return 'Install ChmodBPF (part of Wireshark) and join the group access_bpf.';
  if (process.platform === 'win32') return 'Install Npcap, and if it admits administrators only, run as one.';
  const grant = `setcap cap_net_raw,cap_net_admin=eip ${path}`;
  return name === 'dumpcap'
    ? `Let members of the group wireshark capture: dpkg-reconfigure wireshark-common (or ${grant}), then usermod -aG wireshark USER and log in again. sealert itself needs no root.`
    : `Let it capture: ${grant}. sealert itself needs no root.`;
}
