/** @file The GPU's clock. In: passes that are given its timestamp writes. Out: how long each took, in milliseconds. */
const PAIRS = 1024;

export class Clock<Tag> {
  private readonly sets: GPUQuerySet[] = [];
  private readonly tags: Tag[] = [];

  constructor(private readonly device: GPUDevice) {}

  /** Where the next pass writes its beginning and end. */
  writes(tag: Tag): GPUComputePassTimestampWrites {
    const pair = this.tags.push(tag) - 1;
    if (pair % PAIRS === 0) this.sets.push(this.device.createQuerySet({ type: 'timestamp', count: 2 * PAIRS }));
    const querySet = this.sets.at(-1);
    if (!querySet) throw new RangeError('no query set');
    const at = 2 * (pair % PAIRS);
    return { querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
  }

  /** The times of all passes, once the GPU has run them. */
  async read(): Promise<{ tag: Tag; ms: number }[]> {
    const ticks: bigint[] = [];
    for (const [i, set] of this.sets.entries()) {
      const count = 2 * Math.min(PAIRS, this.tags.length - i * PAIRS);
      ticks.push(...(await this.resolve(set, count)));
    }
    return this.tags.map((tag, i) => ({ tag, ms: Number((ticks[2 * i + 1] ?? 0n) - (ticks[2 * i] ?? 0n)) / 1e6 }));
  }

  private async resolve(set: GPUQuerySet, count: number): Promise<BigUint64Array> {
    const size = count * 8;
    const resolved = this.device.createBuffer({ size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    const staging = this.device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = this.device.createCommandEncoder();
    encoder.resolveQuerySet(set, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
    this.device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const ticks = new BigUint64Array(staging.getMappedRange().slice(0));
    for (const gone of [set, resolved, staging]) gone.destroy();
    return ticks;
  }
}
