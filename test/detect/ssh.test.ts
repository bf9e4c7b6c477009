import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SshAnalysis } from '#sealert/detect/ssh-analysis.js';
import { DirectionSizes, recordBytes, SshKnowledge, scriptWindows } from '#sealert/detect/ssh-sizes.js';
import { FlowWeight, TotalWeight } from '#sealert/flow/flow-weight.js';
import { MemoryBudget } from '#sealert/flow/memory-budget.js';
import { channelWireBytes, sshPacketShape } from '#sealert/flow/ssh/packet-shape.js';
import { softetherSsh } from '#sealert/profiles/softether-ssh.js';
import { softetherTls } from '#sealert/profiles/softether-tls.js';
import { ascii, SshDialogue, SUITES } from '../support/ssh.js';

test('the profile is pure data', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(softetherSsh)), softetherSsh);
});

test('every message of the TLS profile fits its window on every cipher, in up to four packets', () => {
  const windows = scriptWindows(softetherTls, softetherSsh);
  const { signature, hello, login, welcome, attach, attachAnswer } = softetherTls.script;
  const messages = { signature, hello, login, welcome, attach, attachAnswer };
  const forms = softetherSsh.recordForms.filter(({ fixed }) => fixed > 0);
  fc.assert(
    fc.property(
      fc.constantFrom(...SUITES),
      fc.constantFrom(...forms),
      fc.constantFrom(...(Object.keys(messages) as (keyof typeof messages)[])),
      fc.nat(),
      fc.integer({ min: 1, max: 4 }),
      (suite, form, name, random, packets) => {
        const shape = sshPacketShape(suite.cipher, suite.mac)!;
        const { min, max } = messages[name];
        const data = recordBytes(form, min + (random % (max - min + 1)));
        const part = Math.floor(data / packets);
        let wire = channelWireBytes(shape, data - part * (packets - 1));
        for (let i = 1; i < packets; i++) wire += channelWireBytes(shape, part);
        const sizes = new DirectionSizes(shape, false, softetherSsh);
        assert(sizes.fits(wire, 0, windows[name]));
        assert(sizes.fits(wire, packets, windows[name]));
      },
    ),
  );
});

test('poll sizes are those recorded with chacha20 and TLS 1.3', () => {
  const shape = sshPacketShape('chacha20-poly1305@openssh.com', '');
  const [sizes] = new SshKnowledge(softetherTls, softetherSsh).pollTable(shape, shape).sizes;
  assert(sizes !== undefined);
  assert.deepEqual(sizes.question, [108, 156]);
  assert.deepEqual(sizes.answer, [[108, 124], [148]]);
});

for (const suite of SUITES) {
  const name = `${suite.cipher} ${suite.mac}`;

  test(`a log-in alone is suspected: ${name}`, () => {
    const ssh = new SshDialogue(suite);
    ssh.login();
    assert.deepEqual(ssh.verdicts(), [
      { verdict: 'suspected', reversed: false, clauses: ['channel-open', 'start-script'] },
    ]);
  });

  test(`a log-in and a connection that attaches are likely: ${name}`, () => {
    const ssh = new SshDialogue(suite);
    ssh.login();
    ssh.attach(1000);
    assert.deepEqual(
      ssh.verdicts().map(({ verdict }) => verdict),
      ['likely'],
    );
  });

  test(`a whole session is confirmed, in either direction: ${name}`, () => {
    for (const reversed of [false, true]) {
      const ssh = new SshDialogue(suite);
      ssh.login(reversed);
      ssh.first(reversed);
      ssh.polls(3, 5100, reversed);
      const [session, ...others] = ssh.verdicts();
      assert.deepEqual(others, []);
      assert.equal(session?.verdict, 'confirmed');
      assert.equal(session?.reversed, reversed);
    }
  });

  test(`a session joined half-way is likely by its polls: ${name}`, () => {
    const ssh = new SshDialogue(suite);
    ssh.polls(4);
    assert.deepEqual(ssh.verdicts(), [
      {
        verdict: 'likely',
        reversed: false,
        clauses: ['hub-poll', 'poll-rhythm', 'poll-kinds', 'poll-clock'],
      },
    ]);
  });
}

test('the same when the SSH connection itself is joined half-way', () => {
  const shape = sshPacketShape('aes256-ctr', 'hmac-sha2-256')!;
  const analysis = new SshAnalysis(
    new SshKnowledge(softetherTls, softetherSsh),
    0,
    new MemoryBudget(0),
    new FlowWeight(new TotalWeight()),
  );
  analysis.ssh.beginInside();
  let frame = 0;
  const send = (fromClient: boolean, plaintext: number, timeUs: number) => {
    const data = recordBytes(softetherSsh.recordForms[0]!, plaintext);
    const bytes = new Uint8Array(channelWireBytes(shape, data)).fill(0xa5);
    analysis.ssh.bytes(fromClient, bytes, 0, bytes.length, timeUs, ++frame);
  };
  for (let i = 0; i < 4; i++) {
    send(false, 50, i * 5.1e6);
    send(true, 68, i * 5.1e6 + 1000);
    send(false, 94, (i + 0.5) * 5.1e6);
    send(true, 86, (i + 0.5) * 5.1e6 + 1000);
  }
  const [session] = analysis.end();
  assert.equal(session?.verdict, 'likely');
  assert.equal(session?.startCaptured, false);
  assert.equal(session?.startUs, 0);
});

test('a timer of five seconds is not the hub', () => {
  const ssh = new SshDialogue(SUITES[0]!);
  ssh.polls(20, 5000);
  assert.deepEqual(ssh.verdicts(), []);
});

test('equal questions and answers at any time have no rhythm', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 10, max: 3000 }), { minLength: 50, maxLength: 200 }), (gaps) => {
      const ssh = new SshDialogue(SUITES[0]!);
      for (const gap of gaps) {
        ssh.records(false, gap, 50);
        ssh.records(true, 1, 50);
      }
      assert.deepEqual(
        ssh.verdicts().filter(({ verdict }) => verdict !== 'suspected'),
        [],
      );
    }),
    { numRuns: 50 },
  );
});

test('two sessions one after the other are two', () => {
  const ssh = new SshDialogue(SUITES[0]!);
  ssh.login();
  ssh.first();
  ssh.polls(3);
  ssh.data(true, 40, 20_000);
  ssh.data(false, 40, 1);
  ssh.login(false, 2900, 2300);
  ssh.first();
  ssh.polls(3);
  assert.deepEqual(
    ssh.verdicts().map(({ verdict }) => verdict),
    ['confirmed', 'confirmed'],
  );
});

test('keystrokes of a shell between the messages do no harm', () => {
  const ssh = new SshDialogue(SUITES[0]!);
  ssh.data(true, 314);
  ssh.data(false, 1427);
  ssh.data(true, 3373);
  ssh.data(true, 1);
  ssh.data(false, 900);
  ssh.data(true, 3041);
  ssh.data(false, 1);
  ssh.data(true, 1);
  ssh.data(false, 2540);
  ssh.attach(1100);
  assert.equal(ssh.verdicts()[0]?.verdict, 'likely');
});

test('other channels leave the weak form, which polls make likely', () => {
  const other = (ssh: SshDialogue) => {
    ssh.data(false, 900);
    ssh.data(true, 300);
  };
  const ssh = new SshDialogue(SUITES[0]!);
  ssh.data(true, 3373);
  other(ssh);
  ssh.data(false, 1020, 30);
  other(ssh);
  ssh.data(true, 3041, 30);
  other(ssh);
  ssh.data(false, 2540, 30);
  other(ssh);
  ssh.polls(3);
  const [session] = ssh.verdicts();
  assert.equal(session?.verdict, 'likely');
  assert.equal(session?.clauses[0], 'tolerant-script');
});

test('the name of a built-in SSH client is evidence, as in 2004', () => {
  const profile = {
    ...softetherSsh,
    clientSoftware: [{ prefix: 'SSH-2.0-Known', name: 'Known', source: 'test' }],
  };
  const named = () => new SshDialogue(SUITES[0]!, profile, ascii('SSH-2.0-Known_1.0\r\n'));
  assert.deepEqual(named().verdicts(), [
    { verdict: 'suspected', reversed: false, clauses: ['client-software'] },
  ]);
  const ssh = named();
  ssh.login();
  assert.equal(ssh.verdicts()[0]?.verdict, 'likely');
});

test('no traffic makes it throw or grow', () => {
  const piece = fc.tuple(
    fc.boolean(),
    fc.integer({ min: 1, max: 40_000 }),
    fc.integer({ min: 0, max: 6000 }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...SUITES), fc.array(piece, { maxLength: 300 }), (suite, pieces) => {
      const ssh = new SshDialogue(suite);
      for (const [fromClient, data, afterMs] of pieces) ssh.data(fromClient, data, afterMs);
      assert(ssh.analysis.end().length <= 18);
    }),
    { numRuns: 60 },
  );
});
