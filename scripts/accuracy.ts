/// `npm run accuracy -- FOLDER...`: how many of the labelled connections are
/// found, and what is reported that is none.
///
/// A true connection is found if its protocol and both ends stand among the
/// connections of a reported session at the asked verdict. A capture is found
/// if every true session has a connection found. A reported connection of no
/// true session is false; refused and unreachable connections and R-UDP
/// attempts count neither way.

import { createReadStream } from 'node:fs';
import { basename, dirname } from 'node:path';
import Table from 'cli-table3';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { CaptureReader } from '#sealert/capture/reader.js';
import { isAtLeast, type Session, VERDICTS, type Verdict } from '#sealert/detect/findings.js';
import { Engine } from '#sealert/engine.js';
import { readerPool } from '#sealert/node/buffer-pool.js';
import { writeDocument } from './accuracy-document.js';
import { Cut } from './cut.js';
import { findLabelled, type LabelledCapture, type LabelledConnection, type LabelledEnd } from './labels.js';
import { Mask } from './mask.js';
import { recallByCarrier, type Score, type Share } from './score.js';

/// Roles of connections that belong to a true session without being one of its own.
const NEITHER_WAY = new Set([
  'refused',
  'unreachable',
  'rudp-attempt',
  'rudp-over-dns',
  'rudp',
  'rudp-leftover-of-earlier-session',
]);

interface Options {
  minVerdict: Verdict;
  maskInstallation: boolean;
  /// Seconds left out at the start of each capture, and those that a session goes on for to be counted.
  cut: number | undefined;
  left: number;
}

async function main(): Promise<void> {
  const args = await yargs(hideBin(process.argv))
    .scriptName('npm run accuracy --')
    .usage('$0 FOLDER...\n\nMeasures detection on folders of labelled captures.')
    .option('only', {
      type: 'string',
      array: true,
      describe: 'Only captures whose name fits, for example direct-*',
    })
    .option('except', { type: 'string', array: true, describe: 'Leave out captures whose name fits' })
    .option('min-verdict', {
      choices: VERDICTS,
      default: 'likely' as Verdict,
      describe: 'What counts as found',
    })
    .option('mask-installation', {
      type: 'boolean',
      default: false,
      describe: 'Replace addresses and ports, ignore names, certificates and the shape of the ClientHello',
    })
    .option('cut', {
      type: 'number',
      describe: 'Leave out so many seconds of each capture and count only sessions that run by then',
    })
    .option('left', {
      type: 'number',
      default: 9,
      describe: 'With --cut: seconds that a session has to go on to be counted',
    })
    .option('write', {
      type: 'boolean',
      default: false,
      describe: 'Put the tables into docs/accuracy.md',
    })
    .option('list', { type: 'boolean', default: false, describe: 'One line per capture' })
    .demandCommand(1, 'Name at least one folder of labelled captures.')
    .strict()
    .locale('en')
    .parse();
  const { cut, left } = args;
  if (args.write && cut !== undefined)
    throw new Error('the tables of the document are those of whole captures');
  const options = { minVerdict: args['min-verdict'], maskInstallation: args['mask-installation'], cut, left };
  const scores: Score[] = [];
  for (const folder of args._.map(String)) {
    for (const capture of await findLabelled(folder)) {
      const name = nameOf(capture);
      if (args.only !== undefined && !args.only.some((pattern) => fits(name, pattern))) continue;
      if (args.except?.some((pattern) => fits(name, pattern))) continue;
      const score = await measure(capture, options);
      // Where nothing is left of the sessions there is nothing to find.
      if (capture.label.sessions.length === 0 || score.sessions > 0) scores.push(score);
    }
  }
  if (scores.length === 0)
    throw new Error('no labelled capture was found there (a label is a JSON file beside its capture)');
  if (args.list) printList(scores);
  printCarriers(scores, options);
  printOthers(scores);
  printProblems(scores);
  if (args.write) {
    const sets = args._.map((folder) => basename(String(folder)));
    const { minVerdict, maskInstallation: masked } = options;
    await writeDocument({ sets, scores, minVerdict, masked });
  }
}

/// `folder/name` for a capture in a folder of its own (samples/NAME/capture.pcap), else its name.
function nameOf({ path, label }: LabelledCapture): string {
  const file = basename(path).replace(/\.[^.]*$/, '');
  return file === 'capture' ? basename(dirname(path)) : file === label.scenario ? label.scenario : file;
}

/// Simple patterns: `*` stands for any text.
function fits(name: string, pattern: string): boolean {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${escaped}$`).test(name);
}

async function measure(capture: LabelledCapture, options: Options): Promise<Score> {
  const mask = options.maskInstallation ? new Mask() : undefined;
  const cut = options.cut !== undefined ? new Cut(options.cut) : undefined;
  const sessions = await sessionsOf(capture.path, mask, cut);
  const label = cut?.running(capture.label, options.left) ?? capture.label;
  const asked = sessions.filter((session) => isAtLeast(session.verdict, options.minVerdict));
  const reported = asked.flatMap((session) =>
    session.connections.map((connection) => keyOf(connection, mask)),
  );
  const reportedSet = new Set(reported);
  const truth = label.sessions.flatMap((session) => session.connections);
  const everyTrue = capture.label.sessions.flatMap((session) => session.connections);
  const truthKeys = new Set(everyTrue.map((connection) => keyOf(connection)));
  const neither = new Set(
    label.others.filter((other) => NEITHER_WAY.has(other.role)).map((other) => keyOf(other)),
  );
  const found = truth.filter((connection) => reportedSet.has(keyOf(connection)));
  const isTcp = (connection: LabelledConnection) => connection.protocol === 'tcp';
  return {
    name: `${basename(dirname(capture.path))}/${nameOf(capture)}`,
    carrier: label.sessions[0]?.carrier ?? '-',
    label: label.label,
    sessions: label.sessions.length,
    sessionsFound: label.sessions.filter(({ connections }) =>
      connections.some((connection) => reportedSet.has(keyOf(connection))),
    ).length,
    connections: truth.length,
    connectionsFound: found.length,
    tcp: truth.filter(isTcp).length,
    tcpFound: found.filter(isTcp).length,
    falseConnections: reported.filter((key) => !truthKeys.has(key) && !neither.has(key)),
    verdicts: sessions.map((session) => session.verdict),
  };
}

async function sessionsOf(path: string, mask?: Mask, cut?: Cut): Promise<Session[]> {
  const engine = new Engine({ maskInstallation: mask !== undefined });
  const buffers = readerPool.take();
  const reader = new CaptureReader((batch) => {
    cut?.apply(batch);
    mask?.apply(batch);
    engine.push(batch);
  }, buffers);
  engine.begin(0);
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) reader.push(chunk);
  reader.end();
  if (reader.summary.notACapture !== null) throw new Error(`${path}: ${reader.summary.notACapture}`);
  const { sessions } = engine.end();
  readerPool.give(buffers);
  engine.dispose();
  return sessions;
}

function keyOf(connection: LabelledConnection | Session['connections'][number], mask?: Mask): string {
  const text = (end: LabelledEnd) => {
    const { ip, port } = mask === undefined ? end : mask.unmask(end);
    return `${ip} ${port}`;
  };
  const ends = [text(connection.client), text(connection.server)];
  // Who began a UDP flow does not tell who the VPN client is, so labels name the ends in either order.
  if (connection.protocol !== 'tcp') ends.sort();
  return `${connection.protocol} ${ends.join(' > ')}`;
}

function printList(scores: readonly Score[]): void {
  const table = new Table({
    head: ['capture', 'label', 'verdicts', 'connections'],
    style: { head: [], border: [] },
  });
  for (const score of scores) {
    const connections = `${score.connectionsFound} of ${score.connections}`;
    table.push([score.name, score.label, score.verdicts.join(' '), connections]);
  }
  console.log(table.toString());
}

function printCarriers(scores: readonly Score[], options: Options): void {
  if (!scores.some((score) => score.label === 'session')) return;
  const masked = options.maskInstallation ? ', installation masked' : '';
  console.log(`Captures with sessions (found at ${options.minVerdict} or better${masked}):`);
  const head = [
    'carrier',
    'captures found',
    'sessions found',
    'connections found',
    'of these TCP',
    'false connections',
  ];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const row of recallByCarrier(scores)) {
    table.push([
      row.carrier,
      share(row.captures),
      share(row.sessions),
      share(row.connections),
      share(row.tcp),
      String(row.falseConnections),
    ]);
  }
  console.log(table.toString());
}

function printOthers(scores: readonly Score[]): void {
  const others = scores.filter((score) => score.label !== 'session');
  if (others.length === 0) return;
  console.log('Captures without a session:');
  const table = new Table({ head: ['label', 'captures', ...VERDICTS], style: { head: [], border: [] } });
  for (const label of [...new Set(others.map((score) => score.label))].sort()) {
    const of = others.filter((score) => score.label === label);
    const reported = VERDICTS.map(
      (verdict) => of.flatMap((score) => score.verdicts).filter((v) => v === verdict).length,
    );
    table.push([label, String(of.length), ...reported.map(String)]);
  }
  console.log(table.toString());
}

function printProblems(scores: readonly Score[]): void {
  for (const score of scores) {
    if (score.connectionsFound < score.connections) {
      console.log(
        `missed: ${score.name}: ${score.sessionsFound} of ${score.sessions} sessions, ${score.connectionsFound} of ${score.connections} connections found`,
      );
    }
    for (const key of score.falseConnections) console.log(`false: ${score.name}: ${key}`);
  }
}

function share({ part, whole }: Share): string {
  const percent = whole === 0 ? '' : ` (${((100 * part) / whole).toFixed(1)} %)`;
  return `${part} of ${whole}${percent}`;
}

main().catch((error: unknown) => {
  console.error(`accuracy: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
