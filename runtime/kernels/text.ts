/** @file Numbers in kernel text: written out, or taken as parameters so that one text serves many of them. */

/** The numbers that a kernel takes from its parameter buffer. */
export class Parameters {
  private readonly slots = new Map<string, number>();
  private readonly raw: number[] = [];

  constructor(readonly active: boolean) {}

  /** A whole number. 0 and 1 stay as they are unless `always`, since they usually say what form an index has. */
  int(value: number, always = false): string {
    if (!this.active || (!always && (value === 0 || value === 1))) return value < 0 ? `(${value})` : String(value);
    return this.slot(`i${value}`, value);
  }

  float(value: number): string {
    const bits = new Int32Array(Float32Array.of(value).buffer)[0] ?? 0;
    return `bitcast<f32>(${this.slot(`f${bits}`, bits)})`;
  }

  private slot(key: string, word: number): string {
    let place = this.slots.get(key);
    if (place === undefined) {
      place = this.raw.push(word) - 1;
      this.slots.set(key, place);
    }
    return `p[${place >> 2}][${place & 3}]`;
  }

  /** All of them, padded to whole vectors of four. */
  words(): Int32Array {
    const out = new Int32Array(Math.ceil(this.raw.length / 4) * 4);
    out.set(this.raw);
    return out;
  }
}

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
