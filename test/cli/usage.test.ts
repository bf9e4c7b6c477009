import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { COMMANDS } from '#sealert/cli/options.js';
import { sealert } from '../support/cli.js';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));

test('wrong usage is one sentence with a hint, and exit code 2', async (t) => {
  const cases: [string[], RegExp][] = [
    [['bogus'], /^sealert: Unknown command "bogus"\. See: sealert --help$/],
    [['package.json'], /Unknown command "package\.json"\. To read a capture: sealert scan package\.json /],
    [['extract'], /"extract" comes with a later version; this one has scan, live, devices and explain\./],
    [['live'], /live needs a DEVICE: .* See: sealert live --help$/],
    [['live', '-', 'eth0'], /Standard input \(-\) cannot be watched together with devices\./],
    [['live', '-', '--retry', 'often'], /--retry takes a whole number from 0 to 86400, not "often"\./],
    [['live', '-', '--metrics', '0'], /--metrics takes a whole number from 1 to 65535, not "0"\./],
    [['live', '-', '--ring-size', '5'], /--ring-size and --ring-time need --ring FOLDER\./],
    [['live', '-', '--log', 'a', '--no-log'], /--log and --no-log exclude each other\./],
    [['live', '-', '--wait', '--retry', '0'], /--wait needs --retry to be more than 0\./],
    [['live', '-', '--ndjson', './sealert.log'], /sealert\.log is to be written twice\./],
    [
      ['live', '-', '--syslog', 'http://192.0.2.1'],
      /--syslog cannot be "http:\/\/192\.0\.2\.1"; it takes local, or an address /,
    ],
    [['devices', 'eth0'], /devices takes no words\. See: sealert devices --help$/],
    [['--bogus'], /Unknown option --bogus\./],
    [['scan'], /scan needs at least one PATH: .* See: sealert scan --help$/],
    [['scan', 'x', '--bogus'], /Unknown option --bogus\./],
    [['scan', 'x', '-z'], /Unknown option -z\./],
    [['scan', 'x', '--no-quiet'], /Unknown option --no-quiet\./],
    [['scan', 'x', '--format'], /--format needs a value\./],
    [['scan', 'x', '--jobs', '-5'], /--jobs takes a whole number from 1 to 9999, not "-5"\./],
    [['scan', 'x', '--format', 'xml'], /--format cannot be "xml"; choose from table, log, csv, /],
    [['scan', 'x', '--format', 'json,'], /--format cannot be ""; choose from /],
    [
      ['scan', 'x', '--min-verdict', 'sure'],
      /--min-verdict cannot be "sure"; choose from suspected, likely, confirmed\./,
    ],
    [
      ['scan', 'x', '--fail-on', 'any'],
      /--fail-on cannot be "any"; choose from suspected, likely, confirmed\./,
    ],
    [['scan', 'x', '--fail-on', 'likely', '--fail-on', 'likely'], /--fail-on can be given only once\./],
    [
      ['scan', 'x', '--reader', 'tshark'],
      /--reader cannot be "tshark"; choose from sealert, pcap-ng-parser\./,
    ],
    [
      ['scan', 'x', '--tz', 'Mars/Olympus'],
      /"Mars\/Olympus" is no time zone known here; --tz takes UTC, local, .* or an offset such as \+02:00\./,
    ],
    [['scan', 'x', '--jobs', '0'], /--jobs takes a whole number from 1 to 9999, not "0"\./],
    [['scan', 'x', '--memory', '63MB'], /--memory takes a size of at least 64MB, .* not "63MB"\./],
    [['scan', 'x', '--memory', '256'], /--memory takes a size of at least 64MB/],
    [['scan', 'x', '--jobs', '100000'], /--jobs takes a whole number from 1 to 9999, not "100000"\./],
    [['scan', 'x', '--jobs', 'many'], /--jobs takes a whole number from 1 to 9999, not "many"\./],
    [['scan', 'x', '-q', '-v'], /--quiet and --verbose exclude each other\./],
    [['scan', '-', '-'], /Standard input \(-\) can be read only once\./],
    [
      ['scan', 'x', '-o', 'a', '-o', 'b'],
      /2 outputs but 0 formats: the n-th --output takes the n-th --format\./,
    ],
    [
      ['scan', 'package.json', '-o', './package.json'],
      /\.\/package\.json is an input; the output would overwrite it\./,
    ],
    [['scan', 'x', '--tz', '\x1b]0;owned\x07'], /"\\x1b\]0;owned\\x07" is no time zone/],
  ];
  for (const [args, message] of cases) {
    await t.test(`sealert ${args.join(' ').replaceAll('\x1b', 'ESC')}`, async () => {
      const { code, stdout, stderr } = await sealert(args);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr.trimEnd(), message);
      assert.match(stderr, /^sealert: [^\n]* See: sealert ((scan|live|devices|explain) )?--help\n$/);
    });
  }
});

test('without arguments off a terminal: help on standard error, exit code 2', async () => {
  const { code, stdout, stderr } = await sealert([]);
  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /^Finds SoftEther VPN sessions/);
  assert.match(stderr, /Exit codes:/);
});

test('help is in English whatever the system speaks, and fits 80 columns', async () => {
  for (const args of [['--help'], ['-h'], ['help'], ['scan', '--help'], ['live', '-h'], ['devices', '-h']]) {
    const { code, stdout, stderr } = await sealert(args, {
      env: { LANG: 'ja_JP.UTF-8', LC_ALL: 'ja_JP.UTF-8' },
    });
    assert.equal(code, 0);
    assert.equal(stderr, '');
    assert.doesNotMatch(stdout, /[^\n -~]/);
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
    // Examples come first, then the rest.
    assert.match(stdout, /^[A-Z][\s\S]*?\.\n\nExamples:\n {2}sealert (scan|live|devices)/);
    assert.match(stdout, /For networks that you administer or have permission to watch\./);
  }
});

test('the help of a command has the exit codes that it can give', async () => {
  const codes: Record<string, number[]> = {
    '': [0, 2, 3, 4, 5, 10, 130],
    scan: [0, 2, 3, 4, 5, 10, 130],
    live: [0, 2, 3, 4, 5, 10],
    devices: [0, 2, 4, 5],
    explain: [0, 2, 3, 4, 5, 130],
  };
  for (const [command, expected] of Object.entries(codes)) {
    const { stdout } = await sealert([...(command === '' ? [] : [command]), '--help']);
    const section = stdout.slice(stdout.indexOf('Exit codes:'));
    assert.deepEqual(
      [...section.matchAll(/^ {2}(\d+) {2,4}\S/gm)].map(([, code]) => Number(code)),
      expected,
      command,
    );
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
  }
});

test('the help of a command names every option', async () => {
  for (const [command, { options }] of Object.entries(COMMANDS)) {
    const { stdout } = await sealert([command, '--help']);
    for (const option of Object.keys(options)) assert.match(stdout, new RegExp(`--${option}\\b`), command);
  }
});

test('the version', async () => {
  for (const args of [['--version'], ['-V'], ['scan', '--version']]) {
    assert.deepEqual(await sealert(args), { code: 0, stdout: `${version}\n`, stderr: '' });
  }
});

test('completion: a script, and the words it asks for', async () => {
  const script = await sealert(['completion'], { env: { SHELL: '/bin/bash' } });
  assert.equal(script.code, 0);
  assert.match(script.stdout, /complete .*-F _sealert_yargs_completions sealert/);
  const zsh = await sealert(['completion'], { env: { SHELL: '/bin/zsh' } });
  assert.match(zsh.stdout, /#compdef sealert/);
  const commands = await sealert(['--get-yargs-completions', 'sealert', 'sc']);
  assert.match(commands.stdout, /^scan/m);
  const options = await sealert(['--get-yargs-completions', 'sealert', 'scan', '--min']);
  assert.match(options.stdout, /^--min-verdict/m);
});
