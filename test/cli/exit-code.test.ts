import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodeOf, type Outcome } from '#sealert/cli/exit-code.js';

const nothing: Outcome = {
  signal: undefined,
  outputFailed: false,
  pipeClosed: false,
  nothingRead: false,
  verdictReached: false,
  partial: false,
};

test('each thing that happens has its code', () => {
  const cases: [Partial<Outcome>, number][] = [
    [{}, 0],
    [{ partial: true }, 3],
    [{ nothingRead: true }, 4],
    [{ outputFailed: true }, 5],
    [{ verdictReached: true }, 10],
    [{ pipeClosed: true }, 0],
    [{ signal: 'SIGINT' }, 130],
    [{ signal: 'SIGTERM' }, 143],
  ];
  for (const [what, code] of cases)
    assert.equal(exitCodeOf({ ...nothing, ...what }), code, JSON.stringify(what));
});

test('where several apply, the weightier one counts', () => {
  const all: Outcome = {
    signal: 'SIGTERM',
    outputFailed: true,
    pipeClosed: false,
    nothingRead: true,
    verdictReached: true,
    partial: true,
  };
  const order: [keyof Outcome, number][] = [
    ['signal', 143],
    ['outputFailed', 5],
    ['nothingRead', 4],
    ['verdictReached', 10],
    ['partial', 3],
  ];
  for (const [weightiest, code] of order) {
    assert.equal(exitCodeOf(all), code);
    Object.assign(all, { [weightiest]: nothing[weightiest] });
  }
  assert.equal(exitCodeOf(all), 0);
});

test('a closed pipe hides what was read, not that a file was not written', () => {
  const closed = { ...nothing, pipeClosed: true, partial: true, verdictReached: true, nothingRead: true };
  assert.equal(exitCodeOf(closed), 0);
  assert.equal(exitCodeOf({ ...closed, outputFailed: true }), 5);
  assert.equal(exitCodeOf({ ...closed, signal: 'SIGINT' }), 130);
});
