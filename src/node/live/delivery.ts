/// Lines on their way to somewhere that may fail for a while (a full disk, a
/// collector that is restarted): kept in order and tried again.

import { describeWriteError } from '../errors.js';

export interface Destination {
  /// What messages call it.
  readonly name: string;
  /// Rejects if lines could not be taken now: to be told of it before there is one.
  open?(): Promise<void>;
  /// Takes one line, with its line end. Rejects if it could not; the line is then tried again.
  deliver(line: string): Promise<void>;
  close(): Promise<void>;
}

export interface DeliveryOptions {
  /// Lines that may wait.
  maxWaiting: number;
  retryMs: number;
}

const DEFAULTS: DeliveryOptions = { maxWaiting: 10_000, retryMs: 2_000 };

export class Delivery {
  private readonly waiting: string[] = [];
  private work: Promise<void> | undefined;
  private ending = false;
  private trouble: string | undefined;
  /// Ends the pause between two attempts.
  private wake: () => void = () => {};
  /// Lines that found no room to wait.
  private lost = 0;

  constructor(
    private readonly destination: Destination,
    private readonly tell: (text: string) => void,
    private readonly options: DeliveryOptions = DEFAULTS,
  ) {}

  /// Tells at once if there is no way to deliver anything.
  begin(): void {
    this.work ??= this.open();
  }

  add(line: string): void {
    if (this.waiting.length >= this.options.maxWaiting) {
      if (this.lost++ === 0)
        this.tell(`too many lines wait for ${this.destination.name}; from here on they are lost.`);
      return;
    }
    this.waiting.push(line);
    this.work ??= this.run();
  }

  /// Tries once more what still waits. Returns the lines that could not be
  /// delivered, and how many more there were.
  async end(): Promise<{ undelivered: string[]; lost: number }> {
    this.ending = true;
    this.wake();
    await this.work;
    if (this.waiting.length > 0) await this.run();
    await this.destination.close();
    return { undelivered: this.waiting, lost: this.lost };
  }

  private async open(): Promise<void> {
    await this.destination.open?.().catch((error) => this.tellTrouble(describeWriteError(error)));
    await this.run();
  }

  private async run(): Promise<void> {
    const { waiting, destination, options } = this;
    while (waiting.length > 0) {
      try {
        await destination.deliver(waiting[0]!);
        waiting.shift();
        this.tellRecovery();
      } catch (error) {
        this.tellTrouble(describeWriteError(error));
        if (this.ending) break;
        await this.pause(options.retryMs);
      }
    }
    this.work = undefined;
  }

  private pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private tellTrouble(reason: string): void {
    if (reason === this.trouble) return;
    this.trouble = reason;
    this.tell(
      `${this.destination.name} cannot be written: ${reason}. What was found is kept and tried again.`,
    );
  }

  private tellRecovery(): void {
    if (this.trouble === undefined || this.waiting.length > 0) return;
    this.trouble = undefined;
    this.tell(`${this.destination.name} can be written again; nothing was lost on the way.`);
  }
}
