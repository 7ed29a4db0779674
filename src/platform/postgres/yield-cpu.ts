import { setPriority } from 'node:os';

/** Leaves a competitor of ordinary niceness nine tenths of a core, and takes all of an idle one. */
const NICENESS = 10;

interface Session {
  /** Of the server's process, as the server told it. */
  readonly processID?: number | null;
}

/**
 * Lets the server's process behind a connection give way to others, where the server runs on this machine as a child of
 * this process: a search then takes the CPU that sends leave over. Where the system does not allow it, nothing changes.
 */
export function yieldCpu(client: Session): void {
  const { processID } = client;
  if (!processID) return;
  try {
    setPriority(processID, NICENESS);
  } catch {
    // A system without such priorities, or a connection that is closed again: it is as it was.
  }
}
