/** Sizes as people write them: `1GB`, `200MB`. */

const UNITS: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9 };

export function parseSize(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(MB|GB)$/.exec(text) ?? [];
  const bytes = Number(number) * (UNITS[unit ?? ''] ?? Number.NaN);
  if (!(bytes >= 1e6))
    throw new Error(`--size takes a size such as 200MB or 1GB, at least 1MB; not "${text}"`);
  return bytes;
}

export function formatBytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${Math.round(bytes / 1e6)} MB`;
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}
