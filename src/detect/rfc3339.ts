const DAY_US = 86_400_000_000;
const YEAR_0_US = -719_528 * DAY_US;
/// The last second: single microseconds are lost in numbers of this size.
const YEAR_9999_END_US = 2_932_897 * DAY_US - 1_000_000;

/// Microseconds since 1970 as RFC 3339 in UTC with microseconds, for example
/// `2026-11-23T01:01:58.000123Z`. The format knows the years 0 to 9999; a
/// damaged capture can claim times beyond, which become the nearest one.
export function rfc3339(time: number): string {
  const timeUs = Math.min(Math.max(time, YEAR_0_US), YEAR_9999_END_US);
  const days = Math.floor(timeUs / DAY_US);
  const us = timeUs - days * DAY_US;
  const { year, month, day } = civilDate(days);
  const hours = Math.floor(us / 3_600_000_000);
  const minutes = Math.floor(us / 60_000_000) % 60;
  const seconds = Math.floor(us / 1_000_000) % 60;
  const date = `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
  const clock = `${digits(hours, 2)}:${digits(minutes, 2)}:${digits(seconds, 2)}`;
  return `${date}T${clock}.${digits(us % 1_000_000, 6)}Z`;
}

/// The date of a day number since 1970. Years are counted from March, so that
/// the leap day is the last; 400 years (an era) have 146,097 days.
function civilDate(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
