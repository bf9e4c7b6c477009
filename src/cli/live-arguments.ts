/// What `sealert live` is asked for.

import { resolve } from 'node:path';
import type { Verdict } from '../detect/findings.js';
import type { CaptureSettings } from '../node/live/capture-tool.js';
import { parseSyslogTarget, type SyslogTarget } from '../node/live/syslog.js';
import type { Zone } from '../report/time.js';
import type { Format } from '../report/writer.js';
import { type CommandLine, loudnessOf, numberOf, single, zoneOf } from './command-line.js';
import { type Output, planOutputs } from './outputs.js';
import { UsageError } from './usage-error.js';

export interface LiveRequest {
  kind: 'live';
  /// Numbers and names, or `-` alone; empty if the user is to be asked.
  devices: string[];
  settings: CaptureSettings;
  captureTool: string | undefined;
  /// Null for never.
  retryMs: number | null;
  wait: boolean;
  log: string | undefined;
  ndjson: string | undefined;
  syslog: SyslogTarget[];
  syslogCa: string | undefined;
  exec: string | undefined;
  write: string | undefined;
  ring: { folder: string; maxBytes: number; maxMs: number } | undefined;
  /// `file` undefined is standard error.
  status: { intervalMs: number; file: string | undefined } | undefined;
  metricsPort: number | undefined;
  /// The reports at the end.
  outputs: Output[];
  minVerdict: Verdict | undefined;
  failOn: Verdict | undefined;
  zone: Zone | undefined;
  quiet: boolean;
  verbose: boolean;
}

const DEFAULT_LOG = 'sealert.log';
const DEFAULT_RETRY_SECONDS = 5;
/// The 2 MiB of the tools are full after 20 ms of a busy gigabit.
const DEFAULT_BUFFER_MIB = 64;
const DEFAULT_RING_MB = 256;
const DEFAULT_RING_SECONDS = 600;
const DEFAULT_STATUS_SECONDS = 60;

export function liveRequestOf(line: CommandLine): LiveRequest {
  const { values } = line;
  const devices = [...new Set([...line.words, ...(values.get('interface') ?? [])])];
  if (devices.includes('-') && devices.length > 1) {
    throw new UsageError('Standard input (-) cannot be watched together with devices.');
  }
  const retrySeconds = numberOf(line, 'retry', 0, 86_400) ?? DEFAULT_RETRY_SECONDS;
  const files = values.get('output') ?? [];
  const formats = (values.get('format') ?? []) as readonly Format[];
  const request: LiveRequest = {
    kind: 'live',
    devices,
    settings: settingsOf(line),
    captureTool: single(line, 'capture-tool'),
    retryMs: retrySeconds === 0 ? null : retrySeconds * 1000,
    wait: values.has('wait'),
    log: values.has('no-log') ? undefined : (single(line, 'log') ?? DEFAULT_LOG),
    ndjson: single(line, 'ndjson'),
    syslog: (values.get('syslog') ?? []).map(syslogTargetOf),
    syslogCa: single(line, 'syslog-ca'),
    exec: single(line, 'exec'),
    write: single(line, 'write'),
    ring: ringOf(line),
    status: statusOf(line),
    metricsPort: numberOf(line, 'metrics', 1, 65_535),
    outputs: formats.length + files.length === 0 ? [] : planOutputs(formats, files, false),
    minVerdict: single(line, 'min-verdict') as Verdict | undefined,
    failOn: single(line, 'fail-on') as Verdict | undefined,
    zone: zoneOf(single(line, 'tz')),
    ...loudnessOf(line),
  };
  if (values.has('log') && values.has('no-log'))
    throw new UsageError('--log and --no-log exclude each other.');
  if (request.wait && request.retryMs === null)
    throw new UsageError('--wait needs --retry to be more than 0.');
  checkFiles(request);
  return request;
}

function settingsOf(line: CommandLine): CaptureSettings {
  const snapLen = numberOf(line, 'snaplen', 1, 262_144);
  const filter = single(line, 'filter');
  return {
    promiscuous: !line.values.has('no-promiscuous'),
    ...(snapLen === undefined ? {} : { snapLen }),
    ...(filter === undefined ? {} : { filter }),
    bufferMib: numberOf(line, 'buffer-size', 1, 2047) ?? DEFAULT_BUFFER_MIB,
  };
}

function ringOf(line: CommandLine): LiveRequest['ring'] {
  const folder = single(line, 'ring');
  const megabytes = numberOf(line, 'ring-size', 1, 10_000_000);
  const seconds = numberOf(line, 'ring-time', 1, 10_000_000);
  if (folder === undefined) {
    if (megabytes !== undefined || seconds !== undefined)
      throw new UsageError('--ring-size and --ring-time need --ring FOLDER.');
    return undefined;
  }
  return {
    folder,
    maxBytes: (megabytes ?? DEFAULT_RING_MB) * 1_000_000,
    maxMs: (seconds ?? DEFAULT_RING_SECONDS) * 1000,
  };
}

function statusOf(line: CommandLine): LiveRequest['status'] {
  const seconds = numberOf(line, 'status-interval', 1, 86_400);
  const file = single(line, 'status');
  if (seconds === undefined && file === undefined) return undefined;
  return { intervalMs: (seconds ?? DEFAULT_STATUS_SECONDS) * 1000, file };
}

function syslogTargetOf(text: string): SyslogTarget {
  const target = parseSyslogTarget(text);
  if (target !== undefined) return target;
  throw new UsageError(
    `--syslog cannot be "${text}"; it takes local, or an address such as udp://192.0.2.1:514, tcp://HOST:PORT or tls://HOST:PORT.`,
  );
}

/// Two of them in one file would destroy each other.
function checkFiles({ log, ndjson, write, status, outputs }: LiveRequest): void {
  const named = [log, ndjson, write, status?.file, ...outputs.map(({ file }) => file)]
    .filter((file) => file !== undefined && file !== null)
    .map((file) => resolve(file));
  const twice = named.find((file, i) => named.indexOf(file) < i);
  if (twice !== undefined) throw new UsageError(`${twice} is to be written twice.`);
}
