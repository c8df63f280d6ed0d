/** @file Pooling and resampling layers, one line each: [batch, channels, …] at another size. */
import type { PerDim } from '../ops/convolution.ts';
import type { AvgPoolOptions, MaxPoolOptions } from '../ops/pool.ts';
import type { InterpolateOptions } from '../ops/resample.ts';
import { layer } from './layer.ts';

type MaxOptions = Omit<MaxPoolOptions, 'returnIndices'>;

export class MaxPool1d extends layer((x, kernelSize: PerDim, options?: MaxOptions) => x.maxPool1d(kernelSize, options)) {}
export class MaxPool2d extends layer((x, kernelSize: PerDim, options?: MaxOptions) => x.maxPool2d(kernelSize, options)) {}
export class AvgPool1d extends layer((x, kernelSize: PerDim, options?: AvgPoolOptions) => x.avgPool1d(kernelSize, options)) {}
export class AvgPool2d extends layer((x, kernelSize: PerDim, options?: AvgPoolOptions) => x.avgPool2d(kernelSize, options)) {}
export class AdaptiveAvgPool2d extends layer((x, outputSize: PerDim) => x.adaptiveAvgPool2d(outputSize)) {}
export class AdaptiveMaxPool2d extends layer((x, outputSize: PerDim) => x.adaptiveMaxPool2d(outputSize)) {}
export class Upsample extends layer((x, options: InterpolateOptions) => x.interpolate(options)) {}
export class PixelShuffle extends layer((x, upscaleFactor: number) => x.pixelShuffle(upscaleFactor)) {}
export class PixelUnshuffle extends layer((x, downscaleFactor: number) => x.pixelUnshuffle(downscaleFactor)) {}
