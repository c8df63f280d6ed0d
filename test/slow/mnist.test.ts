/** The MNIST sample on a few digits: a network that learns gets most of them right; one that does not is right one time in ten. */
import { expect, test } from 'vitest';
import { train } from '../../extension/samples/mnist.ts';

test('2,000 digits teach enough to read 85 % of those not seen', async () => {
  expect(await train(2000, 4, 1000)).toBeGreaterThan(0.85);
});
