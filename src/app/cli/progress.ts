import type { Terminal } from './command.js';

const EVERY_MS = 500;
const BYTES_PER_MB = 1_000_000;

/** Shows on a terminal how much is done, at a pace that can be read; elsewhere it says nothing. */
export function progressOn(
  stderr: Terminal['stderr'],
  verb: string,
): { readonly report: (bytes: number) => void; end(): void } {
  let shownAtMs = performance.now();
  let isShown = false;
  return {
    report: (bytes) => {
      if (!stderr.isTTY || performance.now() - shownAtMs < EVERY_MS) return;
      shownAtMs = performance.now();
      isShown = true;
      stderr.write(`\r${Math.round(bytes / BYTES_PER_MB)} MB ${verb}`);
    },
    end: () => {
      if (isShown) stderr.write('\r\u001b[K');
      isShown = false;
    },
  };
}
