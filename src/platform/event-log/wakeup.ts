/** A wait that ends when it is woken or after a time, whichever is first; a wake while nobody waits is remembered. */
export class Wakeup {
  private woken = false;
  private finish: (() => void) | null = null;

  wake(): void {
    this.woken = true;
    this.finish?.();
  }

  /** Waits for a wake, at most `ms`. */
  async wait(ms: number): Promise<void> {
    if (!this.woken) await this.sleep(ms);
    this.woken = false;
  }

  /** Waits `ms` whatever wakes, unless `stop` says so; a wake in the meantime is remembered. */
  async pause(ms: number, stop: () => boolean): Promise<void> {
    const end = performance.now() + ms;
    for (let leftMs = ms; leftMs > 0 && !stop(); leftMs = end - performance.now()) await this.sleep(leftMs);
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.finish?.(), ms);
      this.finish = () => {
        clearTimeout(timer);
        this.finish = null;
        resolve();
      };
    });
  }
}
