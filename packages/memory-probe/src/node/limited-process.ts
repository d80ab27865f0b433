/** What a process may take, set before its program starts. */
export interface ProcessLimits {
  readonly addressSpaceBytes?: number | undefined;
  readonly controlGroup?: string | undefined;
}

/** Arguments of a POSIX shell that sets the limits and becomes the program whose path and arguments follow. */
export function limitedProcess({ addressSpaceBytes, controlGroup = '' }: ProcessLimits): string[] {
  // Where no limit is wanted the one of this process stays: only root may raise it, also to `unlimited`.
  const kilobytes = addressSpaceBytes === undefined ? '' : `${Math.ceil(addressSpaceBytes / 1024)}`;
  const limit = '{ test -z "$1" || ulimit -v "$1"; }';
  const join = '{ test -z "$2" || echo $$ > "$2/cgroup.procs"; }';
  return ['-c', `${limit} && ${join} && shift 2 && exec "$@"`, 'sh', kilobytes, controlGroup];
}
