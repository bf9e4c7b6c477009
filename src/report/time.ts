/// Times of the report (RFC 3339, UTC, microseconds) in the zone of the reader.

/// `local` (the zone of this machine), `UTC`, an IANA name, or an offset from UTC
/// (`+02:00`, `-0330`; east of Greenwich is plus).
export type Zone = string;

/// True if times can be shown in this zone.
export function isZone(zone: string): boolean {
  if (zone === 'local' || offsetMinutes(zone) !== null) return true;
  try {
    formatterOf(zone);
    return true;
  } catch {
    return false;
  }
}

const formatters = new Map<Zone, Intl.DateTimeFormat>();

function formatterOf(zone: Zone): Intl.DateTimeFormat {
  let formatter = formatters.get(zone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formatters.set(zone, formatter);
  }
  return formatter;
}

/// Not left to Intl, which knows offsets from Node 22 on only.
function offsetMinutes(zone: Zone): number | null {
  const [, sign, hours, minutes] = /^([+-])([01]\d|2[0-3]):?([0-5]\d)$/.exec(zone) ?? [];
  if (sign === undefined) return null;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

interface Fields {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

function fieldsIn(zone: Zone, date: Date): Fields {
  // Not by Intl: it does not know zones such as TZ=JST-9, which Date follows.
  if (zone === 'local') {
    return {
      year: date.getFullYear(),
      month: date.getMonth() + 1,
      day: date.getDate(),
      hour: date.getHours(),
      minute: date.getMinutes(),
      second: date.getSeconds(),
    };
  }
  const offset = offsetMinutes(zone);
  if (offset !== null) return fieldsIn('UTC', new Date(date.getTime() + offset * 60_000));
  const fields: Fields = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  for (const { type, value } of formatterOf(zone).formatToParts(date)) {
    if (type in fields) fields[type as keyof Fields] = Number(value);
  }
  return fields;
}

function pad(value: number, length = 2): string {
  return String(value).padStart(length, '0');
}

/// `2026/11/23 01:01:58` in the zone. A time that cannot be read is returned as it is.
export function formatClock(time: string, zone: Zone): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  const { year, month, day, hour, minute, second } = fieldsIn(zone, date);
  return `${pad(year, 4)}/${pad(month)}/${pad(day)} ${pad(hour)}:${pad(minute)}:${pad(second)}`;
}

/// RFC 3339 in the zone, the fraction of the second untouched:
/// `2026-11-23T10:01:58.123456+09:00`. UTC stays with its `Z`.
export function formatRfc3339(time: string, zone: Zone): string {
  const date = new Date(time);
  if (zone === 'UTC' || Number.isNaN(date.getTime())) return time;
  const { year, month, day, hour, minute, second } = fieldsIn(zone, date);
  const shownMs = Date.UTC(year, month - 1, day, hour, minute, second);
  const offsetSeconds = (shownMs - Math.floor(date.getTime() / 1000) * 1000) / 1000;
  // RFC 3339 offsets are whole minutes; some zones before 1972 were not.
  if (offsetSeconds % 60 !== 0) return time;
  const offsetMinutes = Math.abs(offsetSeconds) / 60;
  const sign = offsetSeconds < 0 ? '-' : '+';
  const offset = `${sign}${pad(Math.floor(offsetMinutes / 60))}:${pad(offsetMinutes % 60)}`;
  const clock = `${pad(hour)}:${pad(minute)}:${pad(second)}`;
  return `${pad(year, 4)}-${pad(month)}-${pad(day)}T${clock}${fractionOf(time)}${offset}`;
}

function fractionOf(time: string): string {
  return /\.\d+/.exec(time)?.[0] ?? '';
}

/// Seconds from one time to the other, to the microsecond.
export function secondsBetween(start: string, end: string): number {
  // Date keeps milliseconds only, so the fractions are compared on their own.
  const wholeSeconds = (time: string) => Math.floor(Date.parse(time) / 1000);
  const fraction = (time: string) => Number(`0${fractionOf(time)}`);
  return wholeSeconds(end) - wholeSeconds(start) + (fraction(end) - fraction(start));
}
