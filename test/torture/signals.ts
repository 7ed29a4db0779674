/** Sends a signal to a process that may be gone; false where it is. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  if (pid <= 1) return false;
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
