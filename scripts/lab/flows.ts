/**
 * The flows of a capture as tshark sees them: independent of this project's own
 * reader, so that a label never repeats the tool's mistakes.
 */
import { run } from './processes.js';

export interface End {
  readonly ip: string;
  /** ICMP has none. */
  readonly port: number | null;
}

export interface CaptureFlow {
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  /** The end that sent the SYN, or the first packet where none was seen. */
  client: End;
  server: End;
  readonly start: number;
  end: number;
  bytesFromClient: number;
  bytesFromServer: number;
  packets: number;
  synSeen: boolean;
  /** TCP: the other end took the connection. */
  accepted: boolean;
}

export interface CaptureFlows {
  readonly flows: CaptureFlow[];
  /** Echo, information and error messages by pairs of addresses: what VPN over ICMP looks like. */
  readonly icmp: CaptureFlow[];
  /** Packets that belong to no TCP or UDP flow, counted by kind. */
  readonly otherPackets: Record<string, number>;
}

const FIELDS = [
  'frame.time_epoch',
  'ip.src',
  'ip.dst',
  'ipv6.src',
  'ipv6.dst',
  'icmp.type',
  'icmpv6.type',
  'tcp.stream',
  'udp.stream',
  'tcp.srcport',
  'tcp.dstport',
  'udp.srcport',
  'udp.dstport',
  'tcp.len',
  'udp.length',
  'tcp.flags.syn',
  'tcp.flags.ack',
];

type Row = Record<string, string>;

/** Every packet of the file; of fields that an ICMP error quotes once more, the outer value. */
async function packets(file: string): Promise<Row[]> {
  const wanted = FIELDS.flatMap((field) => ['-e', field]);
  const options = ['-n', '-T', 'fields', '-E', 'separator=/t', '-E', 'occurrence=f'];
  const { stdout } = await run(['tshark', '-r', file, ...options, ...wanted]);
  const lines = stdout.split('\n').filter(Boolean);
  return lines.map((line) =>
    Object.fromEntries(line.split('\t').map((value, index) => [FIELDS[index] ?? '', value])),
  );
}

export async function readFlows(file: string): Promise<CaptureFlows> {
  const flows = new Map<string, CaptureFlow>();
  const icmp = new Map<string, CaptureFlow>();
  const otherPackets: Record<string, number> = {};
  for (const row of await packets(file)) {
    const kind = kindOf(row);
    if (kind !== 'tcp' && kind !== 'udp') {
      otherPackets[kind] = (otherPackets[kind] ?? 0) + 1;
      if (/^icmp .* type (0|8|15|16)$/.test(kind)) addIcmp(icmp, row);
      continue;
    }
    add(flows, row, kind);
  }
  return { flows: [...flows.values()], icmp: [...icmp.values()], otherPackets };
}

function kindOf(row: Row): string {
  if (row['icmp.type']) return `icmp ${row['ip.src']}>${row['ip.dst']} type ${row['icmp.type']}`;
  if (row['icmpv6.type']) return `icmpv6 ${row['ipv6.src']}>${row['ipv6.dst']} type ${row['icmpv6.type']}`;
  if (row['tcp.stream']) return 'tcp';
  if (row['udp.stream']) return 'udp';
  return row['ip.src'] || row['ipv6.src'] ? 'other-ip' : 'non-ip';
}

function addIcmp(flows: Map<string, CaptureFlow>, row: Row): void {
  const source = { ip: row['ip.src']!, port: null };
  const target = { ip: row['ip.dst']!, port: null };
  const key = [source.ip, target.ip].sort().join();
  const flow = flows.get(key) ?? newFlow('icmp', source, target, Number(row['frame.time_epoch']));
  flows.set(key, flow);
  flow.end = Number(row['frame.time_epoch']);
  flow.packets += 1;
}

function newFlow(protocol: CaptureFlow['protocol'], client: End, server: End, time: number): CaptureFlow {
  const counts = { bytesFromClient: 0, bytesFromServer: 0, packets: 0 };
  return { protocol, client, server, start: time, end: time, ...counts, synSeen: false, accepted: false };
}

function add(flows: Map<string, CaptureFlow>, row: Row, protocol: 'tcp' | 'udp'): void {
  const time = Number(row['frame.time_epoch']);
  const source = { ip: (row['ip.src'] || row['ipv6.src'])!, port: Number(row[`${protocol}.srcport`]) };
  const target = { ip: (row['ip.dst'] || row['ipv6.dst'])!, port: Number(row[`${protocol}.dstport`]) };
  const isSyn = row['tcp.flags.syn'] === '1' || row['tcp.flags.syn'] === 'True';
  const isAck = row['tcp.flags.ack'] === '1' || row['tcp.flags.ack'] === 'True';
  const key = `${protocol} ${row[`${protocol}.stream`]}`;
  let flow = flows.get(key);
  if (!flow) {
    const reversed = isSyn && isAck;
    flow = reversed ? newFlow(protocol, target, source, time) : newFlow(protocol, source, target, time);
    flows.set(key, flow);
  }
  const bytes = protocol === 'tcp' ? Number(row['tcp.len']) : Number(row['udp.length']) - 8;
  if (source.ip === flow.client.ip && source.port === flow.client.port) flow.bytesFromClient += bytes;
  else flow.bytesFromServer += bytes;
  flow.end = time;
  flow.packets += 1;
  flow.synSeen ||= isSyn && !isAck;
  flow.accepted ||= isSyn && isAck;
}
