/// The words of the command line, told apart and checked against the options
/// that its command has, and the values that several commands share.

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { isZone, type Zone } from '../report/time.js';
import type { Loudness } from './messages.js';
import {
  type CliOption,
  type CliOptions,
  COMMANDS,
  COMMON_OPTIONS,
  type CommandName,
  isCommand,
} from './options.js';
import { UsageError } from './usage-error.js';

export interface CommandLine {
  /// The first word that is no option; it may be no command at all.
  command: string | undefined;
  /// The words after it.
  words: string[];
  /// What was given for each option, in order; a flag has no value.
  values: ReadonlyMap<string, readonly string[]>;
}

/// Throws UsageError for an option that the command does not have, or a value
/// that an option cannot have.
export function readCommandLine(args: readonly string[]): CommandLine {
  // Which word is the command shows only once it is known which options take a value.
  const { tokens } = parseArgs({
    args: [...args],
    options: everyOption(),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words = tokens.filter((token) => token.kind === 'positional').map(({ value }) => value);
  const [command, ...rest] = words;
  const options = optionsOf(isCommand(command) ? command : undefined);
  const unknown = tokens.filter((token) => token.kind === 'option' && !Object.hasOwn(options, token.name));
  if (unknown.length > 0) {
    const names = unknown.map((token) => token.kind === 'option' && token.rawName);
    throw new UsageError(`Unknown option ${names.join(', ')}.`);
  }
  const values = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { name, value, inlineValue } = token;
    const option = options[name]!;
    const given = values.get(name) ?? [];
    if (option.takes === 'flag') {
      if (value !== undefined) throw new UsageError(`--${name} takes no value.`);
    } else {
      // No option begins with a digit, so -03:30 is a value.
      const isOption = value !== undefined && !inlineValue && /^-[^\d]/.test(value);
      if (value === undefined || isOption) throw new UsageError(`--${name} needs a value.`);
      given.push(...checked(name, option, value));
      if (option.takes === 'value' && given.length > 1) {
        throw new UsageError(`--${name} can be given only once.`);
      }
    }
    values.set(name, given);
  }
  return { command, words: rest, values };
}

/// The value of an option that is given once, if it is given.
export function single({ values }: CommandLine, option: string): string | undefined {
  return values.get(option)?.[0];
}

/// The same of an option that takes a whole number.
export function numberOf(line: CommandLine, option: string, min: number, max: number): number | undefined {
  const text = single(line, option);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < min || value > max) {
    throw new UsageError(`--${option} takes a whole number from ${min} to ${max}, not "${text}".`);
  }
  return value;
}

export function zoneOf(text: string | undefined): Zone | undefined {
  if (text === 'Z') return 'UTC';
  if (text === undefined || isZone(text)) return text;
  throw new UsageError(
    `"${text}" is no time zone known here; --tz takes UTC, local, a name such as Asia/Tokyo or an offset such as +02:00.`,
  );
}

export function loudnessOf({ values }: CommandLine): Loudness {
  const [quiet, verbose] = [values.has('quiet'), values.has('verbose')];
  if (quiet && verbose) throw new UsageError('--quiet and --verbose exclude each other.');
  return { quiet, verbose };
}

/// The options of a command, or without one those that always are.
export function optionsOf(command: CommandName | undefined): CliOptions {
  return { ...COMMON_OPTIONS, ...(command === undefined ? {} : COMMANDS[command].options) };
}

function checked(name: string, { takes, choices }: CliOption, value: string): string[] {
  const items = takes === 'list' ? value.split(',') : [value];
  for (const item of items) {
    if (choices !== undefined && !choices.includes(item)) {
      throw new UsageError(`--${name} cannot be "${item}"; choose from ${choices.join(', ')}.`);
    }
  }
  return items;
}

function everyOption(): NonNullable<ParseArgsConfig['options']> {
  const all: NonNullable<ParseArgsConfig['options']> = {};
  for (const options of [COMMON_OPTIONS, ...Object.values(COMMANDS).map((command) => command.options)]) {
    for (const [name, { takes, alias }] of Object.entries(options)) {
      all[name] = { type: takes === 'flag' ? 'boolean' : 'string', ...(alias ? { short: alias } : {}) };
    }
  }
  return all;
}
