/** Puts a recording into the samples folder, with a few lines on what it is. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { frameGuide } from './frame-guide.js';
import type { Label } from './label.js';

const PLACES = {
  client: "on the gateway at the client's side",
  server: "on the gateway at the server's side",
  both: "on the gateway's link to the proxy",
  trunk: 'on a VLAN trunk between client and gateway',
} as const;

export async function installSample(from: string, label: Label, samples: string): Promise<void> {
  const folder = join(samples, nameOf(label));
  mkdirSync(folder, { recursive: true });
  const capture = join(folder, 'capture.pcap');
  copyFileSync(join(from, label.capture), capture);
  const own: Label = { ...label, capture: 'capture.pcap' };
  writeFileSync(join(folder, 'label.json'), `${JSON.stringify(own, null, 1)}\n`);
  writeFileSync(join(folder, 'README.md'), await readme(label, capture));
}

/** The scenario, and where it was recorded if that was on several points. */
function nameOf(label: Label): string {
  return label.capture.replace(/\.pcap$/, '');
}

/** Names of programs stay small. */
function sentence(text: string): string {
  return /^(ssh|openconnect|scp|stunnel) /.test(text) ? text : text[0]!.toUpperCase() + text.slice(1);
}

async function readme(label: Label, capture: string): Promise<string> {
  const software = Object.entries(label.software).map(([name, version]) => `${name} ${version}`);
  const lines = [
    `# ${nameOf(label)}`,
    '',
    `${sentence(label.description)}. Label: \`${label.label}\`.`,
    '',
    `Recorded ${PLACES[label.capturePoint]}, between network namespaces of one machine;`,
    `software: ${software.join(', ')}${label.software.softether ? ' (Debian packages)' : ''}. No person's traffic is in it.`,
    '',
    `Made with \`node build/scripts/lab/main.js --samples --seed ${label.seed} ${label.scenario}\` (see \`scripts/lab\`);`,
    'the seed repeats names, addresses, ports and sizes, not what the programs draw themselves. Licence: Apache-2.0.',
    '',
    ...(await frameGuide(label, capture)),
  ];
  return `${lines.join('\n')}\n`;
}
