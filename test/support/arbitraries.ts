/// Reports with any text in the places that hold what a capture or a path said.

import fc from 'fast-check';
import type { Report } from '#sealert/report/model.js';
import { evidence, input, report, session, sighting } from './report.js';

/// Text of any characters, and of those that terminals and spreadsheets obey.
export function anyText(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ unit: 'grapheme', maxLength: 100 }),
    fc.string({
      unit: fc.constantFrom('\x1b', ']', '0', ';', '\x07', '\n', '\r', '\u202e', '\u2066', '=', '日'),
    }),
  );
}

// Objects as JSON.parse makes them, so that they compare as equal.
const plain = { noNullPrototype: true } as const;

/// A report with such text everywhere; its sessions have unusual ends too.
export function anyReport(text = anyText()): fc.Arbitrary<Report> {
  const frames = fc.array(fc.record({ input: fc.nat(3), frame: fc.integer({ min: 1 }) }, plain), {
    maxLength: 6,
  });
  const address = fc.oneof(fc.ipV4(), fc.ipV6(), text);
  const port = fc.option(fc.nat(65535));
  const end = fc.record({ ip: address, port }, plain);
  const anySession = fc
    .record({
      verdict: fc.constantFrom('suspected' as const, 'likely' as const, 'confirmed' as const),
      client: end,
      server: end,
      host: text,
      product: text,
      detail: text,
      caveat: text,
      frames,
    })
    .map(({ verdict, client, server, host, product, detail, caveat, frames }) =>
      session({
        verdict,
        client,
        server,
        target: { host, port: 443 },
        software: { product, client: { generation: '4.x' }, server: { generation: null } },
        evidence: [evidence({ detail, frames, strength: 'strong' }), evidence({ strength: 'supporting' })],
        against: [{ feature: 'feature', detail }],
        caveats: [caveat],
      }),
    );
  const anyInput = fc.record({ path: text, reason: text, error: fc.option(text) }).map((any) =>
    input({
      path: any.path,
      damage: [{ offset: 1, reason: any.reason, bytesLost: 2, afterFrame: 3, from: null, to: null }],
      ...(any.error === null ? {} : { error: any.error }),
    }),
  );
  return fc
    .record({
      inputs: fc.array(anyInput, { maxLength: 3 }),
      sessions: fc.array(anySession, { maxLength: 4 }),
      sightings: fc.array(
        fc.record({ kind: text, detail: text, client: end }).map((any) => sighting(any)),
        { maxLength: 2 },
      ),
    })
    .map((parts) => report(parts));
}
