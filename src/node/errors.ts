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

const WRITE_REASONS: Record<string, string> = {
  ENOENT: 'there is no such folder',
  EACCES: 'there is no permission to write there',
  EPERM: 'there is no permission to write there',
  EISDIR: 'it is a folder',
  EROFS: 'the file system is read-only',
  ENOSPC: 'there is no space left',
  EDQUOT: 'there is no space left',
  EFBIG: 'the file may not become larger',
  ECONNREFUSED: 'nobody listens there',
  ETIMEDOUT: 'there is no answer',
  ENOTFOUND: 'the host is unknown',
};

/// What keeps something from being written, in words.
export function describeWriteError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return WRITE_REASONS[(error as NodeJS.ErrnoException).code ?? ''] ?? describeError(error);
}
