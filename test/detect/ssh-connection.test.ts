import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SshConnection } from '#sealert/detect/ssh-connection.js';
import { SshKnowledge } from '#sealert/detect/ssh-sizes.js';
import { FlowWeight, TotalWeight } from '#sealert/flow/flow-weight.js';
import { MemoryBudget } from '#sealert/flow/memory-budget.js';
import { TcpFlow } from '#sealert/flow/tcp-flow.js';
import { softetherSsh } from '#sealert/profiles/softether-ssh.js';
import { softetherTls } from '#sealert/profiles/softether-tls.js';
import { ascii } from '../support/ssh.js';

const KNOWLEDGE = new SshKnowledge(softetherTls, softetherSsh);

test('what an SSH connection kept of its beginning is given back, however it ends', () => {
  const budget = new MemoryBudget(1_000_000);
  const weight = new FlowWeight(new TotalWeight());
  const flow = new TcpFlow(budget, weight);
  const connection = () => new SshConnection(KNOWLEDGE, 0, budget, weight, () => assert.fail());
  const send = (to: SshConnection, fromClient: boolean, text: string) => {
    const bytes = ascii(text);
    return to.bytes(flow, fromClient, bytes, 0, bytes.length, 1, 1);
  };

  const unfinished = connection();
  assert.equal(send(unfinished, true, 'SSH-2.0-unfini'), true);
  assert.ok(budget.usedBytes > 0);
  unfinished.end(flow);
  assert.equal(budget.usedBytes, 0);

  const refused = connection();
  assert.equal(send(refused, false, 'SSH-2.0-unfini'), true);
  assert.equal(send(refused, true, 'SSH-1.5-old\n'), false);
  assert.equal(budget.usedBytes, 0);
});
