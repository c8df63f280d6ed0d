/**
 * @file Which sums are cut in parts that a device computes at the same time. In: a contraction's spec, and of what. Out: the parts:
 * where positions are too few to keep a device busy, and their sums are long, as those of a weight's gradient are.
 */
import { axis, collectAxes, fromAxis, type Axis } from '../tensor/affine.ts';
import { numel, type Shape } from '../tensor/shape.ts';
import { BUSY, evenParts, isLong } from './fold-parts.ts';
import type { Attributes, ContractSpec, Meta } from './spec.ts';

export interface Parts {
  /** Which of the summed dims is cut. */
  readonly along: number;
  readonly parts: number;
  /** Places of that dim in one part; the last may have fewer. */
  readonly each: number;
}

/** So many terms of a product are added up one by one: of more, rounding errors would show. */
const ONE_PIECE = 512;

/** The parts that sums are cut in whose positions leave a device idle; undefined where they stay whole. */
export function partsOf(
  op: ContractSpec,
  inputs: readonly Shape[],
  attributes: Attributes,
  { dtype, shape }: Meta,
): Parts | undefined {
  // Parts of half precision would be rounded.
  if (dtype === 'float16') return undefined;
  const parts = partsOfLong(op, inputs, attributes, numel(shape));
  return parts ?? (dtype === 'float32' ? partsOfProduct(op, inputs, attributes, shape) : undefined);
}

/** Where positions are few; what is no product is cut in even parts alone. */
function partsOfLong(op: ContractSpec, inputs: readonly Shape[], attributes: Attributes, positions: number): Parts | undefined {
  const extents = op.extents(inputs, attributes);
  if (!isLong(positions, numel(extents))) return undefined;
  const isProduct = !op.term && !op.fold;
  return alongOne(extents, Math.min(BUSY, Math.floor(numel(extents) / ONE_PIECE)), !isProduct);
}

/** Positions of one workgroup, in a block whose threads share factors or without, and how many workgroups keep a device busy. */
const BLOCK = 64 * 64;
const UNSHARED = 8 * 8;
const BUSY_BLOCKS = 256;
/** A block with fewer positions on one side shares nothing. */
export const SHORTEST_SIDE = 4;
/** With fewer positions a workgroup is better spent on each; less work is not worth another kernel. */
const FEWEST_POSITIONS = 24 * 24;
const LEAST = 1 << 24;
/** Each element takes part in so many products at least: then what is multiplied costs more than what is moved. */
export const REUSE = 8;

/** Where there are many, but too few for sums of products that are so long. */
function partsOfProduct(op: ContractSpec, inputs: readonly Shape[], attributes: Attributes, out: Shape): Parts | undefined {
  if (op.term || op.fold || inputs.some((shape) => shape.length === 0)) return undefined;
  const extents = op.extents(inputs, attributes);
  const [positions, terms] = [numel(out), numel(extents)];
  const products = positions * terms;
  if (positions < FEWEST_POSITIONS || products < LEAST || inputs.some((x) => numel(x) * REUSE > products)) return undefined;
  const wanted = (together: number) => Math.min(Math.floor((BUSY_BLOCKS * together) / positions), Math.floor(terms / ONE_PIECE));
  if (wanted(BLOCK) < 2) return undefined;
  const isShared = Math.min(...sidesOf(op, inputs, attributes, out, extents)) >= SHORTEST_SIDE;
  const most = wanted(isShared ? BLOCK : UNSHARED);
  return most < 2 ? undefined : alongOne(extents, most);
}

/** For each factor, how many positions differ in that one alone. */
function sidesOf(op: ContractSpec, inputs: readonly Shape[], attributes: Attributes, out: Shape, extents: Shape): number[] {
  const positions = out.map((extent, d) => axis(`o${d}`, extent));
  const summed = extents.map((extent, d) => axis(`s${d}`, extent));
  const factors = op.sources(positions.map(fromAxis), summed.map(fromAxis), inputs, attributes).map(({ index }) => {
    const axes = new Map<string, Axis>();
    for (const i of index) collectAxes(i, axes);
    return axes;
  });
  return factors.map((own) => {
    const isAlone = ({ key }: Axis) => own.has(key) && factors.every((other) => other === own || !other.has(key));
    return numel(positions.filter(isAlone).map((a) => a.extent));
  });
}

/** The outermost dim that gives about as many: what is next to each other in memory stays in one part. */
function alongOne(extents: readonly number[], wanted: number, areEven = false): Parts | undefined {
  const all = extents.map((extent, along) => ({ along, ...evenParts(extent, wanted) }));
  const cuts = all.filter((c) => !areEven || c.parts * c.each === extents[c.along]);
  const most = Math.max(...cuts.map((c) => c.parts));
  return cuts.find((c) => c.parts * 8 > 7 * Math.min(most, wanted) && c.parts > 1);
}
