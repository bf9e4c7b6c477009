const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission to read it is denied',
  EPERM: 'permission to read it is denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is no folder',
  EMFILE: 'too many files are open',
  EIO: 'the device reports a read error',
  ELOOP: 'its symbolic links run in a circle',
};

/// The system's error in words.
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return REASONS[code] ?? error.message;
}
