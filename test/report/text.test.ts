import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { displayWidth, printable, shorten, wrap } from '#sealert/report/text.js';

test('printable writes what a terminal would obey or hide as escapes', () => {
  const cases: [string, string][] = [
    ['plain-name.example:443', 'plain-name.example:443'],
    ['日本語 café ☃', '日本語 café ☃'],
    ['\x1b]0;owned\x07', '\\x1b]0;owned\\x07'],
    ['a\r\nb\tc\0', 'a\\x0d\\x0ab\\x09c\\x00'],
    ['\x7f\x9b31m', '\\x7f\\x9b31m'],
    ['gpj.\u202eexe', 'gpj.\\u202eexe'],
    ['\u2066\u2069\u200b\u200d\ufeff\u00ad', '\\u2066\\u2069\\u200b\\u200d\\ufeff\\xad'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['\u{e0041}', '\\u{e0041}'],
    ['\ud800', '\\ud800'],
    ['\u3164', '\\u3164'],
  ];
  for (const [text, expected] of cases) assert.equal(printable(text), expected);
});

test('printable text stays as it is when made printable again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(printable(printable(text)), printable(text));
      assert.doesNotMatch(printable(text), /[\p{C}\p{Zl}\p{Zp}]/u);
    }),
  );
});

test('the width of wide and combining characters', () => {
  assert.equal(displayWidth('abc'), 3);
  assert.equal(displayWidth('日本'), 4);
  assert.equal(displayWidth('e\u0301'), 1);
  assert.equal(displayWidth('😀'), 2);
});

test('wrap breaks at spaces, and inside words that are wider than a line', () => {
  assert.deepEqual(wrap('one two three', 8), ['one two', 'three']);
  assert.deepEqual(wrap('one two three', 9, 2), ['one two', '  three']);
  assert.deepEqual(wrap('abcdefghij', 4), ['abcd', 'efgh', 'ij']);
  assert.deepEqual(wrap('日本語', 4), ['日本', '語']);
  assert.deepEqual(wrap('', 4), ['']);
});

test('wrapped lines fit and lose nothing but spaces', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }).map(printable),
      fc.integer({ min: 4, max: 20 }),
      (text, width) => {
        const lines = wrap(text, width, 2);
        for (const line of lines) assert.ok(displayWidth(line) <= width);
        assert.equal(lines.join('').replaceAll(' ', ''), text.replaceAll(' ', ''));
      },
    ),
  );
});

test('shorten keeps the beginning and says that there was more', () => {
  assert.equal(shorten('abcdefghij', 10), 'abcdefghij');
  assert.equal(shorten('abcdefghijk', 10), 'abcdef ...');
});
