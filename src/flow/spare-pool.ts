/// Objects used again: what nearly every flow needs for a moment is not made each time.

export class SparePool<T extends { reset(): void }> {
  private readonly spare: T[] = [];

  constructor(private readonly make: () => T) {}

  take(): T {
    return this.spare.pop() ?? this.make();
  }

  give(item: T): void {
    item.reset();
    this.spare.push(item);
  }
}
