type Undo = () => void | Promise<void>;

/**
 * What must be taken down again, newest first, whatever ends a scenario. Scopes nest: what a scenario leaves behind is
 * undone with the run.
 */
export class Cleanup {
  private readonly steps: Undo[] = [];
  private running: Promise<void> | null = null;

  add(undo: Undo): void {
    this.steps.push(undo);
  }

  /** Undoes everything, each step at most once; a step that fails is told and does not keep the others. */
  run(): Promise<void> {
    this.running ??= this.undoAll().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async undoAll(): Promise<void> {
    for (let undo = this.steps.pop(); undo !== undefined; undo = this.steps.pop()) {
      try {
        await undo();
      } catch (error) {
        process.stderr.write(`cleaning up: ${(error as Error).message}\n`);
      }
    }
  }
}
