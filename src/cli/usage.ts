/// What the help says around the list of options.

export const TOP_USAGE = `Finds SoftEther VPN sessions in network captures and says why.

Examples:
  sealert scan capture.pcapng                 what was found, as a table
  sealert scan /var/captures                  every capture in a folder
  ssh sensor cat day.pcap.zst | sealert scan -   from standard input
  sealert scan day.pcap --format json -o day.json
  sealert scan day.pcap --fail-on confirmed || echo "look at this"
  sealert explain day.pcap --session 368fa8a16f4c

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

export const EPILOGUE = `Findings go to standard output, everything else to standard error.

Exit codes:
  0    the run is complete, whatever it found
  2    wrong usage
  3    some input was damaged or cut off, or a named path was no capture
  4    nothing could be read
  5    the output could not be written
  10   --fail-on was given and a session reached that verdict
  130  interrupted (143: terminated); the report covers what had been read

For networks that you administer or have permission to watch. The program is
passive: it reads captures and sends nothing.`;

/// The hint after a usage error.
export function helpHint(command: string | undefined): string {
  return `See: sealert ${command === undefined ? '' : `${command} `}--help`;
}
