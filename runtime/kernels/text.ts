/**
 * @file Numbers in kernel text: written out, taken as parameters so that one text serves many of them, or left open until it is
 * known which of them vary.
 */
import { invariant } from '../errors.ts';
import type { Axis } from '../tensor/affine.ts';
import { vary } from './extents.ts';

/** A number whose place in a text is left open. */
export interface Hole {
  readonly kind: 'int' | 'uint' | 'float';
  readonly value: number;
  /** Whether it follows from extents that vary; the same may follow from several of them. */
  readonly varies: boolean;
}

export type Numbers = 'written' | 'parameters' | 'open';

const HOLE = /⟦(\d+)⟧/g;
/** How many vectors of parameters there are is open too. */
export const VECTORS = '⟦vectors⟧';

/** The numbers of a kernel's text. */
export class Parameters {
  private readonly slots = new Slots();
  /** Those that are open. */
  readonly holes: Hole[] = [];

  constructor(private readonly numbers: Numbers) {}

  /** A whole number. As parameters 0 and 1 stay as they are unless `always`, since they usually say what form an index has. */
  int(value: number, always = false): string {
    if (this.numbers === 'open') return this.hole('int', value);
    if (this.numbers === 'written' || (!always && (value === 0 || value === 1))) return written('int', value);
    return this.slots.text('int', value);
  }

  /** A whole number that follows from the extents of `axes`. */
  derived(value: number, axes: readonly Axis[]): string {
    if (this.numbers !== 'open') return this.int(value);
    return this.hole('int', value, vary(axes));
  }

  uint(value: number): string {
    if (this.numbers === 'open') return this.hole('uint', value);
    return this.numbers === 'written' ? written('uint', value) : this.slots.text('uint', value);
  }

  float(value: number): string {
    if (this.numbers === 'open') return this.hole('float', value);
    return this.numbers === 'written' ? written('float', value) : this.slots.text('float', value);
  }

  /** Whether the text may be made for just these extents. */
  fixed(axes: readonly Axis[]): boolean {
    return this.numbers === 'written' || (this.numbers === 'open' && !vary(axes));
  }

  /** Vectors of four parameters, as text; undefined for none. */
  vectors(): string | undefined {
    if (this.numbers === 'open') return VECTORS;
    const { length } = this.slots.words();
    return length > 0 ? String(length / 4) : undefined;
  }

  words(): Int32Array {
    return this.slots.words();
  }

  private hole(kind: Hole['kind'], value: number, varies = false): string {
    return `⟦${this.holes.push({ kind, value, varies }) - 1}⟧`;
  }
}

/** Places in the parameter buffer, one for each number, or for each name of one. */
class Slots {
  private readonly places = new Map<string, number>();
  private readonly raw: number[] = [];

  text(kind: Hole['kind'], value: number, name?: string): string {
    const word = kind === 'float' ? bitsOf(value) : value | 0;
    const key = name ?? `${kind === 'float' ? 'f' : 'i'}${word}`;
    let place = this.places.get(key);
    if (place === undefined) {
      place = this.raw.push(word) - 1;
      this.places.set(key, place);
    }
    const text = `p[${place >> 2}][${place & 3}]`;
    return kind === 'float' ? `bitcast<f32>(${text})` : kind === 'uint' ? `u32(${text})` : text;
  }

  /** All of them, padded to whole vectors of four. */
  words(): Int32Array {
    const out = new Int32Array(Math.ceil(this.raw.length / 4) * 4);
    out.set(this.raw);
    return out;
  }
}

/** The text with its holes filled: by a parameter where `nameOf` gives a name to what varies, else by the number. */
export function filled(text: string, holes: readonly Hole[], nameOf: (hole: number) => string | undefined) {
  const slots = new Slots();
  const body = text.replace(HOLE, (_, digits: string) => {
    const { kind, value } = invariant(holes[Number(digits)], 'a number for each hole');
    const name = nameOf(Number(digits));
    return name === undefined ? written(kind, value) : slots.text(kind, value, name);
  });
  const parameters = slots.words();
  const lines = body.split('\n').map((line) => (!line.includes(VECTORS) ? line : bufferLine(line, parameters.length / 4)));
  return { text: lines.join('\n'), parameters };
}

const bufferLine = (line: string, vectors: number): string => (vectors > 0 ? line.replace(VECTORS, String(vectors)) : '');

function written(kind: Hole['kind'], value: number): string {
  if (kind === 'float') return floatText(value);
  return kind === 'uint' ? `${value}u` : value < 0 ? `(${value})` : String(value);
}

const bitsOf = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0] ?? 0;

/** A finite float32 as WGSL reads it back exactly. */
export function floatText(value: number): string {
  const text = Object.is(value, -0) ? '-0.0' : String(Math.fround(value));
  const whole = /[.e]/.test(text) ? text : `${text}.0`;
  return value < 0 || Object.is(value, -0) ? `(${whole}f)` : `${whole}f`;
}

/** How many times `by` must be added to a value of at least `min` to make it non-negative. */
export function bias(min: number, by: number): number {
  return min >= 0 ? 0 : Math.ceil(-min / by);
}
