/** Names the frames of a capture that matter, by the numbers tshark gives them. */
import type { Label, LabelledFlow } from './label.js';
import { run } from './processes.js';

interface Message {
  readonly frame: number;
  readonly fromClient: boolean;
  readonly type: string;
  readonly length: number;
}

const APPLICATION_DATA = '23';
/** More than any Finished message, which TLS 1.3 hides among the application data. */
const FINISHED_MOST = 100;
/** The signature holds an image of 1411 bytes. */
const SIGNATURE_LEAST = 1411;
/** More than any session ticket. */
const TICKET_MOST = 300;

/** The TLS records of one connection in order, each with the frame in which it ends. */
async function messages(flow: LabelledFlow, capture: string): Promise<Message[]> {
  const { client, server } = flow;
  const filter = `tcp.port == ${client.port} && tcp.port == ${server.port} && tls.record.length`;
  const fields = [
    'frame.number',
    'tcp.srcport',
    'tls.record.content_type',
    'tls.record.opaque_type',
    'tls.record.length',
  ];
  const wanted = fields.flatMap((field) => ['-e', field]);
  const decode = ['-d', `tcp.port==${server.port},tls`];
  const { stdout } = await run([
    'tshark',
    '-n',
    '-r',
    capture,
    ...decode,
    '-Y',
    filter,
    '-T',
    'fields',
    ...wanted,
  ]);
  return stdout
    .split('\n')
    .filter(Boolean)
    .flatMap((line) => {
      const [frame, port, visible, opaque, lengths] = line.split('\t');
      const types = `${visible},${opaque}`.split(',').filter(Boolean);
      return lengths!.split(',').map((length, index) => ({
        frame: Number(frame),
        fromClient: Number(port) === client.port,
        type: types[index] ?? APPLICATION_DATA,
        length: Number(length),
      }));
    });
}

export async function frameGuide(label: Label, capture: string): Promise<string[]> {
  const flows = [...label.sessions.flatMap((session) => session.connections), ...label.others];
  const primary = flows.find((flow) => flow.protocol === 'tcp');
  const isPlain = label.sessions.every((session) => session.carrier === 'tcp');
  const logsIn = ['session', 'attempt', 'management'].includes(label.label);
  if (!primary?.synSeen || !isPlain || !logsIn || primary.role === 'unreachable') return flowList(flows);
  const all = await messages(primary, capture);
  const hello = all.find((each) => each.fromClient);
  const up = all.filter(
    (each) => each.fromClient && each.type === APPLICATION_DATA && each.length > FINISHED_MOST,
  );
  const at = up.findIndex((each) => each.length >= SIGNATURE_LEAST);
  const [signature, login] = up.slice(at);
  // SoftEther's plain request before the signature; its length depends on the server's address.
  const probe = up.slice(0, at).at(-1);
  const answer =
    login && all.find((each) => !each.fromClient && each.frame > login.frame && each.length > TICKET_MOST);
  const names: [string, Message | undefined][] = [
    ['ClientHello', hello],
    ['probe (`GET /` with `X-VPN`)', probe],
    ['signature', signature],
    [label.label === 'management' ? 'administrator log-in' : 'log-in', login],
    [label.label === 'session' ? 'welcome' : 'answer', answer],
  ];
  const found = names.flatMap(([name, at]) => (at ? [`${name} ${at.frame} (record ${at.length})`] : []));
  if (found.length === 0) return flowList(flows);
  return [
    `Frames of the first connection, as tshark numbers them: ${found.join(', ')}.`,
    '',
    ...flowList(flows),
  ];
}

function flowList(flows: readonly LabelledFlow[]): string[] {
  const counts = new Map<string, number>();
  for (const { protocol, role } of flows) {
    const kind = `${protocol} ${role}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [`Flows: ${[...counts].map(([kind, count]) => `${count} ${kind}`).join(', ')}.`];
}
