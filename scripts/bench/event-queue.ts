/** What comes next: a binary heap by time; of equal times the first one in. */
export class EventQueue<T> {
  private readonly times: number[] = [];
  private readonly orders: number[] = [];
  private readonly items: T[] = [];
  private pushed = 0;

  get size(): number {
    return this.items.length;
  }

  /** Time of the next item. */
  get nextTime(): number {
    return this.times[0] ?? Number.POSITIVE_INFINITY;
  }

  push(time: number, item: T): void {
    let i = this.items.length;
    const order = this.pushed++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (this.times[parent]! <= time) break;
      this.move(parent, i);
      i = parent;
    }
    this.set(i, time, order, item);
  }

  pop(): T {
    const first = this.items[0]!;
    const time = this.times.pop()!;
    const order = this.orders.pop()!;
    const item = this.items.pop()!;
    const count = this.items.length;
    if (count === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= count) break;
      if (child + 1 < count && this.isBefore(child + 1, this.times[child]!, this.orders[child]!)) child++;
      if (!this.isBefore(child, time, order)) break;
      this.move(child, i);
      i = child;
    }
    this.set(i, time, order, item);
    return first;
  }

  private isBefore(i: number, time: number, order: number): boolean {
    return this.times[i]! < time || (this.times[i] === time && this.orders[i]! < order);
  }

  private move(from: number, to: number): void {
    this.set(to, this.times[from]!, this.orders[from]!, this.items[from]!);
  }

  private set(i: number, time: number, order: number, item: T): void {
    this.times[i] = time;
    this.orders[i] = order;
    this.items[i] = item;
  }
}
