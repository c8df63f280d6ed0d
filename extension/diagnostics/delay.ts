/** @file Work that waits until nothing has happened for a while. In: keys, each with its work. Out: the last of each, once. */
export class Delay<K> {
  private readonly waiting = new Map<K, NodeJS.Timeout>();

  constructor(private readonly work: (key: K) => void) {}

  later(key: K, ms: number): void {
    this.cancel(key);
    const run = () => {
      this.waiting.delete(key);
      this.work(key);
    };
    this.waiting.set(key, setTimeout(run, ms));
  }

  cancel(key: K): void {
    clearTimeout(this.waiting.get(key));
    this.waiting.delete(key);
  }

  dispose(): void {
    for (const key of [...this.waiting.keys()]) this.cancel(key);
  }
}
