/** What a start has done so far, to be undone in reverse order when it fails half-way. */
export class UndoStack {
  private readonly steps: (() => Promise<void> | void)[] = [];

  push(undo: () => Promise<void> | void): void {
    this.steps.push(undo);
  }

  /** Undoes everything; a step that fails does not keep the others from running. */
  async run(onError: (error: unknown) => void): Promise<void> {
    for (let step = this.steps.pop(); step !== undefined; step = this.steps.pop()) {
      try {
        await step();
      } catch (error) {
        onError(error);
      }
    }
  }
}
