/// What the help says around the list of options.

import { EXIT } from './exit-code.js';
import type { CommandName } from './options.js';

export const TOP_USAGE = `Finds SoftEther VPN sessions in network captures and on network devices, and
says why.

Examples:
  sealert scan capture.pcapng                 what was found, as a table
  sealert scan /var/captures                  every capture in a folder
  ssh sensor cat day.pcap.zst | sealert scan -   from standard input
  sealert scan day.pcap --format json -o day.json
  sealert scan day.pcap --fail-on confirmed || echo "look at this"
  sealert explain day.pcap --session 368fa8a16f4c
  sealert                                     asks for a device and watches it
  sealert live eth0                           watches this one

Usage:
  sealert COMMAND [OPTIONS]`;

export const SCAN_USAGE = `Reads captures (pcap, pcapng, compressed too), reports SoftEther VPN sessions.

Examples:
  sealert scan capture.pcapng
  sealert scan /var/captures --format log     one line per session
  ssh sensor cat day.pcap.zst | sealert scan -   from standard input
  sealert scan day.pcap --format json,csv -o day.json -o day.csv
  sealert scan day.pcap --format json | jq '.sessions[].server'

Usage:
  sealert scan PATH... [OPTIONS]

PATH is a capture file, a folder, which is searched with all folders in it, or
- for standard input.`;

export const EXPLAIN_USAGE = `Reads a capture again and says why a session was reported, or why a flow was
not.

Examples:
  sealert explain day.pcap --session 368fa8a16f4c
  sealert explain day.pcap --flow 'tcp 10.1.0.10:36320 203.0.113.10:443'
  sealert explain day.pcap --flow '[2001:db8::1]:36320 [2001:db8::2]:443'

Usage:
  sealert explain PATH --session ID [OPTIONS]
  sealert explain PATH --flow ENDS [OPTIONS]

PATH is a capture file, a folder, or with --flow also - for standard input.`;

export const LIVE_USAGE = `Watches network devices and prints a line for every SoftEther VPN session as
soon as it is sure; keeps the lines in sealert.log.

Examples:
  sealert live eth0
  sealert live 4                              by its number in: sealert devices
  sealert live eth1 eth2 -f 'not port 22'     both directions of a tap
  sealert live eth0 --ring /var/lib/sealert -o report.json --format json
  ssh sensor tcpdump -U -w - | sealert live -

Usage:
  sealert live DEVICE... [OPTIONS]
  sealert NUMBER

DEVICE is a number, a name, or - for a capture (pcap, pcapng) on standard
input. dumpcap or tcpdump captures; sealert itself needs no rights. SIGINT
(Ctrl-C), SIGTERM and SIGHUP are the normal end: exit code 0.`;

export const DEVICES_USAGE = `Lists the network devices with the numbers that live takes.

Examples:
  sealert devices
  sealert devices --format json

Usage:
  sealert devices [OPTIONS]`;

type ExitLine = readonly [code: number, meaning: string];

const COMPLETE: ExitLine = [EXIT.complete, 'the run is complete, whatever it found'];
const WRONG_USAGE: ExitLine = [EXIT.usage, 'wrong usage'];
const PARTIAL: ExitLine = [EXIT.partial, 'some input was damaged or cut off, or a named path was no capture'];
const NOTHING_READ: ExitLine = [EXIT.nothingRead, 'nothing could be read'];
const OUTPUT_FAILED: ExitLine = [EXIT.outputFailed, 'the output could not be written'];
const VERDICT_REACHED: ExitLine = [
  EXIT.verdictReached,
  '--fail-on was given and a session reached that verdict',
];
const INTERRUPTED: ExitLine = [
  EXIT.interrupted.SIGINT,
  `interrupted (${EXIT.interrupted.SIGTERM}: terminated); the report covers what had been read`,
];
const SCAN_EXITS = [
  COMPLETE,
  WRONG_USAGE,
  PARTIAL,
  NOTHING_READ,
  OUTPUT_FAILED,
  VERDICT_REACHED,
  INTERRUPTED,
];

/// The exit codes that a command can give.
const EXITS: Readonly<Record<CommandName, readonly ExitLine[]>> = {
  scan: SCAN_EXITS,
  live: [
    [EXIT.complete, 'the watch has ended, whatever it found'],
    WRONG_USAGE,
    [EXIT.partial, 'the capture was interrupted, or the stream damaged'],
    [EXIT.nothingRead, 'nothing could be captured'],
    [EXIT.outputFailed, 'something could not be written'],
    VERDICT_REACHED,
  ],
  devices: [
    [EXIT.complete, 'the devices were listed'],
    WRONG_USAGE,
    [EXIT.nothingRead, 'there is no device, or nothing to capture with'],
    OUTPUT_FAILED,
  ],
  explain: [
    [EXIT.complete, 'the account was written'],
    [EXIT.usage, 'wrong usage, or there is no such session or flow'],
    PARTIAL,
    NOTHING_READ,
    OUTPUT_FAILED,
    INTERRUPTED,
  ],
};

/// What stands below the list of options of a command, or of them all.
export function epilogueOf(command: CommandName | undefined): string {
  const lines = (command === undefined ? SCAN_EXITS : EXITS[command]).map(
    ([code, meaning]) => `  ${String(code).padEnd(5)}${meaning}`,
  );
  if (command === undefined) lines.push('       (what they mean for a command: sealert COMMAND --help)');
  return `Findings go to standard output, everything else to standard error.

Exit codes:
${lines.join('\n')}

For networks that you administer or have permission to watch. The program is
passive: it reads captures and sends nothing.`;
}

/// The hint after a usage error.
export function helpHint(command: string | undefined): string {
  return `See: sealert ${command === undefined ? '' : `${command} `}--help`;
}
