/// The help texts and the shell completion, as yargs makes them from the table
/// of options. Loaded only when asked for: reading captures needs none of it.

import yargs, { type Argv } from 'yargs';
import { type CliOption, type CliOptions, COMMANDS, COMMON_OPTIONS, type CommandName } from './options.js';
import { DEVICES_USAGE, EXPLAIN_USAGE, epilogueOf, LIVE_USAGE, SCAN_USAGE, TOP_USAGE } from './usage.js';

const USAGES: Readonly<Record<CommandName, string>> = {
  scan: SCAN_USAGE,
  live: LIVE_USAGE,
  devices: DEVICES_USAGE,
  explain: EXPLAIN_USAGE,
};

/// The help of a command, or the general one.
export async function helpOf(command: CommandName | undefined): Promise<string> {
  const parser =
    command === undefined ? withCommands(newParser()) : withOptions(newParser(), COMMANDS[command].options);
  // Around the list that yargs makes, because yargs removes the indentation of
  // usage texts and forgets the epilogue below commands.
  const list = (await parser.getHelp()).trim();
  return `${command === undefined ? TOP_USAGE : USAGES[command]}\n\n${list}\n\n${epilogueOf(command)}\n`;
}

/// What yargs answers to `completion` and to the questions of the script that it gave out.
export async function completionFor(args: readonly string[]): Promise<string> {
  let text = '';
  const parser = withCommands(newParser()).completion('completion', 'print a script for shell completion');
  await parser.parseAsync(args, {}, (_error, _argv, output) => {
    text = output;
  });
  return `${text}\n`;
}

function newParser(): Argv {
  const parser = yargs()
    .scriptName('sealert')
    // yargs would follow the language of the system, and exit by itself.
    .locale('en')
    .exitProcess(false)
    .usage('')
    .wrap(80)
    .help(false)
    .version(false);
  return withOptions(parser, COMMON_OPTIONS);
}

function withCommands(parser: Argv): Argv {
  for (const [name, { describe, options }] of Object.entries(COMMANDS)) {
    parser.command(name, describe, (command) => withOptions(command, options));
  }
  return parser;
}

function withOptions(parser: Argv, options: CliOptions): Argv {
  for (const [name, option] of Object.entries(options)) parser.option(name, described(option));
  return parser;
}

function described({ takes, alias, choices, describe }: CliOption) {
  return {
    describe,
    ...(alias === undefined ? {} : { alias }),
    ...(choices === undefined ? {} : { choices }),
    ...(takes === 'flag' ? { type: 'boolean' as const } : { type: 'string' as const, requiresArg: true }),
  };
}
