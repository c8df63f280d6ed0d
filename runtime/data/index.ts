/** @file The names under `data`. */
export { collate, type Batch } from './collate.ts';
export { randomSplit, Subset, TensorDataset, type BatchedDataset, type Dataset } from './dataset.ts';
export { DataLoader, type DataLoaderOptions } from './loader.ts';
export { progress, type Progress, type ProgressOptions } from './progress.ts';
