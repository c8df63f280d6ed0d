/** @file Positions of several axes together: how many there are, and for how many a schedule is chosen. */
import type { Axis } from '../tensor/affine.ts';

export const extentOf = (axes: readonly Axis[]): number => axes.reduce((n, a) => n * a.extent, 1);

/** What choices go by: they are the same for every extent that varies. */
export const typicalOf = (axes: readonly Axis[]): number => axes.reduce((n, a) => n * (a.typical ?? a.extent), 1);

export const vary = (axes: readonly Axis[]): boolean => axes.some((a) => a.typical !== undefined);
