/// Half sentences that follow a colon, fit for reading and for writing alike.
const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EISDIR: 'it is a folder, not a file',
  ENOTDIR: 'a part of the path is no folder',
  EEXIST: 'a file has that name',
  EMFILE: 'too many files are open',
  EIO: 'the device reports an error',
  ELOOP: 'its symbolic links run in a circle',
  EROFS: 'the file system is read-only',
  ENOSPC: 'there is no space left',
  EDQUOT: 'there is no space left',
  EFBIG: 'the file may not become larger',
  ECONNREFUSED: 'nobody listens there',
  ETIMEDOUT: 'there is no answer',
  ENOTFOUND: 'the host is unknown',
  EADDRINUSE: 'another program has it',
};

/// The system's error in words.
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return REASONS[code] ?? error.message;
}

/// What keeps something from being written, in words: a file that is not there
/// yet is no error, a folder is.
export function describeWriteError(error: unknown): string {
  const isMissing = (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
  return isMissing ? 'there is no such folder' : describeError(error);
}
