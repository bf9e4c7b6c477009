/** Mail over TLS: IMAP with IDLE, SMTP with a few messages. Enough of each protocol for the two to talk. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { clientOptions, ready, serverContext, type TlsClient, type TlsServer } from './agent-tls.js';
import { Random } from './random.js';

type Protocol = 'imap' | 'smtp';

/** Calls `each` with every whole line that arrives. */
function onLines(socket: TLSSocket, each: (line: string) => void): void {
  let rest = '';
  socket.on('error', () => {});
  socket.on('data', (data) => {
    const lines = (rest + data.toString('latin1')).split('\r\n');
    rest = lines.pop()!;
    for (const line of lines) each(line);
  });
}

export function mailServer(settings: TlsServer & { protocol: Protocol }): void {
  const random = new Random(settings.seed);
  const server = createServer(serverContext(settings), (socket) => {
    const say = (text: string) => socket.write(`${text}\r\n`);
    if (settings.protocol === 'imap') serveImap(socket, say, random);
    else serveSmtp(socket, say);
  });
  server.listen(settings.port, settings.address, ready);
}

function serveImap(socket: TLSSocket, say: (text: string) => void, random: Random): void {
  say('* OK [CAPABILITY IMAP4rev1 IDLE] ready');
  let idling = '';
  onLines(socket, (line) => {
    const [tag, command] = line.split(' ');
    if (line === 'DONE') return say(`${idling} OK idle ended`);
    if (command === 'IDLE') {
      idling = tag!;
      return say('+ idling');
    }
    if (command === 'SELECT') say(`* ${random.int(3, 90)} EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen)`);
    if (command === 'FETCH') {
      const body = random.text(random.int(500, 9000));
      say(`* 1 FETCH (BODY[] {${body.length}}\r\n${body})`);
    }
    say(`${tag} OK ${command} completed`);
  });
}

function serveSmtp(socket: TLSSocket, say: (text: string) => void): void {
  let inData = false;
  say('220 mail ESMTP');
  onLines(socket, (line) => {
    if (inData) {
      inData = line !== '.';
      if (!inData) say('250 2.0.0 queued');
      return;
    }
    if (line.startsWith('EHLO')) return say('250-mail\r\n250-SIZE 20000000\r\n250 8BITMIME');
    if (line === 'DATA') {
      inData = true;
      return say('354 go ahead');
    }
    say(line === 'QUIT' ? '221 bye' : '250 2.1.0 ok');
  });
}

/** Sends a line and waits until a line of the answer fits. */
function ask(socket: TLSSocket, text: string, until: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const take = (data: Buffer) => {
      answer += data.toString('latin1');
      if (!answer.split('\r\n').some((line) => until.test(line))) return;
      socket.off('data', take).off('error', reject);
      resolve();
    };
    socket.on('data', take).once('error', reject);
    if (text) socket.write(`${text}\r\n`);
  });
}

export async function mailClient(settings: TlsClient & { protocol: Protocol }) {
  const random = new Random(settings.seed);
  const end = Date.now() + settings.seconds * 1000;
  return settings.protocol === 'imap' ? readMail(settings, random, end) : sendMails(settings, random, end);
}

async function readMail(settings: TlsClient, random: Random, end: number) {
  const socket = connect(clientOptions(settings, ['imap']));
  await ask(socket, '', /^\* OK/);
  await ask(socket, `a1 LOGIN user ${random.text(12)}`, /^a1 OK/);
  await ask(socket, 'a2 SELECT INBOX', /^a2 OK/);
  let turns = 2;
  while (Date.now() < end) {
    turns += 1;
    if (random.chance(0.5)) await ask(socket, `a${turns} FETCH ${turns} BODY[]`, new RegExp(`^a${turns} OK`));
    turns += 1;
    await ask(socket, `a${turns} IDLE`, /^\+/);
    await sleep(random.int(4000, 8000));
    await ask(socket, 'DONE', new RegExp(`^a${turns} OK`));
  }
  socket.end('a0 LOGOUT\r\n');
  await sleep(200);
  return { turns };
}

async function sendMails(settings: TlsClient, random: Random, end: number) {
  let mails = 0;
  while (Date.now() < end && mails < 4) {
    const socket = connect(clientOptions(settings, []));
    await ask(socket, '', /^220/);
    await ask(socket, 'EHLO laptop', /^250 /);
    await ask(socket, 'MAIL FROM:<a@example.com>', /^250 /);
    await ask(socket, 'RCPT TO:<b@example.net>', /^250 /);
    await ask(socket, 'DATA', /^354/);
    const lines = Array.from({ length: random.int(30, 800) }, () => random.text(72));
    await ask(socket, `Subject: ${random.text(9)}\r\n\r\n${lines.join('\r\n')}\r\n.`, /^250 /);
    await ask(socket, 'QUIT', /^221/);
    socket.end();
    mails += 1;
    await sleep(random.int(1000, 5000));
  }
  return { mails };
}
