/// What the help says around the list of options.

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

export const EXPLAIN_USAGE = `Reads a capture again and says why a session was reported, or why a flow was not.

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

export const EPILOGUE = `Findings go to standard output, everything else to standard error.

Exit codes:
  0    the run is complete, whatever it found
  2    wrong usage
  3    some input was damaged or cut off, or a named path was no capture
  4    nothing could be read
  5    the output could not be written
  10   --fail-on was given and a session reached that verdict
  130  interrupted (143: terminated); the report covers what had been read
       (in live, the normal end is 0)

For networks that you administer or have permission to watch. The program is
passive: it reads captures and sends nothing.`;

/// The hint after a usage error.
export function helpHint(command: string | undefined): string {
  return `See: sealert ${command === undefined ? '' : `${command} `}--help`;
}
