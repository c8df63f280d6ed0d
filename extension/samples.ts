/** @file The samples that ship, in the order in which they are offered. Knows nothing of VS Code. */
export interface Sample {
  readonly file: string;
  readonly description: string;
}

export const SAMPLES: readonly Sample[] = [
  { file: 'conv2d.ts', description: 'A convolution written by hand: a hundred kernels become one' },
  { file: 'lstm.ts', description: 'Recurrent cells written by hand: a loop over time becomes one graph' },
  { file: 'gpt.ts', description: 'A block of a language model: attention, then two linear layers' },
  { file: 'unet.ts', description: 'A U-Net: halves the image, doubles it again, keeps what it saw' },
  { file: 'spade.ts', description: 'Spatially adaptive normalisation, steered by a map of labels' },
  { file: 'resnet.ts', description: 'A residual block: two convolutions and a way around them' },
  { file: 'mnist.ts', description: 'Trains a network that reads handwritten digits' },
  { file: 'equilibrium.ts', description: 'Scripted: a layer that repeats a step until it changes nothing' },
];
