/**
 * @file Runs the text of a product by matrix units in JavaScript, all threads of a workgroup at once, where no device has such units.
 * In: the text and what its buffers hold. Out: what it stored there; an error where it accesses what is not there, or what another
 * thread may be writing.
 */
import { compileFunction } from 'node:vm';

type Buffers = Readonly<Record<string, number[]>>;
type Value = number | readonly number[];

/** WGSL as JavaScript; only the forms in which such kernels are written. */
const FORMS: readonly (readonly [RegExp, string])[] = [
  [/subgroupMatrixLoad<[^(]*(row|col)_major>\(&(\w+), /g, '$1MatrixOf($2, '],
  [/subgroupMatrixStore<row_major>\(&(\w+), /g, 'putMatrix($1, '],
  [/subgroupMatrixMultiplyAccumulate/g, 'multiplied'],
  [/bitcast<vec2<u32>>\((\w+)\)/g, '...$1'],
  [/vec4<u32>\(\)/g, 'zeros(8)'],
  [/vec4<f16>\(\)/g, 'zeros(4)'],
  [/vec4<u32>\(/g, 'list('],
  [/\b(\d+(?:\.\d+)?)[uifh]\b/g, '$1'],
  // Whole numbers are divided, and rounded towards 0.
  [/(\w*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|\w+) \/ (\d+)/g, 'Math.trunc($1 / $2)'],
  [/(\w+) \/= (\d+);/g, '$1 = Math.trunc($1 / $2);'],
  [/\bvar (\w+): subgroup_matrix_result<.*>;/g, 'let $1 = zeros(256);'],
  [/\bvar (\w+): [^=;]*;/g, 'let $1;'],
  [/\blet (\w+) = (?!zeros\(256\))/g, 'const $1 = '],
  [/\bvar (\w+)/g, 'let $1'],
  [/workgroupBarrier\(\);/g, 'yield;'],
];

const FUNCTIONS = {
  zeros: (n: number) => new Array<number>(n).fill(0),
  list: (...values: number[]) => values,
  i32: Math.trunc,
  u32: Math.trunc,
  f32: (x: number) => x,
  f16: (x: number) => x,
  min: Math.min,
  max: Math.max,
  select: (no: Value, yes: Value, when: number | boolean) => (when ? yes : no),
};

export function runWgsl(wgsl: string, workgroups: number, subgroup: number, buffers: Buffers): void {
  const { body, shared, size } = parts(wgsl);
  for (let group = 0; group < workgroups; group++) {
    const memory = new Memory(subgroup);
    const arrays = {
      ...Object.fromEntries(Object.entries(buffers).map(([name, values]) => [name, memory.bound(name, values, wgsl)])),
      ...Object.fromEntries(shared.map(([name, length]) => [name, memory.shared(name, length)])),
    };
    const names = { ...FUNCTIONS, ...memory.functions, ...arrays, group: { x: group, y: 0 }, groups: { x: workgroups } };
    const parameters = [...Object.keys(names), 'local', 'part', 'place'];
    const start = compileFunction(`return (function* () {${body}})();`, parameters) as (...values: unknown[]) => Iterator<void>;
    const threads = Array.from({ length: size }, (_, local) =>
      start(...Object.values(names), local, Math.floor(local / subgroup), local % subgroup),
    );
    memory.run(threads);
  }
}

function parts(wgsl: string): { body: string; shared: (readonly [string, number])[]; size: number } {
  const shared = [...wgsl.matchAll(/var<workgroup> (\w+): array<.*, (\d+)>;/g)].map(
    ([, name = '', n]) => [name, Number(n)] as const,
  );
  const start = wgsl.indexOf(') {', wgsl.indexOf('fn main(')) + 3;
  const body = FORMS.reduce((text, [from, to]) => text.replaceAll(from, to), wgsl.slice(start, wgsl.lastIndexOf('}')));
  return { body, shared, size: Number(/@workgroup_size\((\d+)\)/.exec(wgsl)?.[1]) };
}

/** Where values lie, and who has read and written them since all threads met. */
class Memory {
  private now = 0;
  private readers = new Map<string, Set<number>>();
  private writers = new Map<string, number>();

  constructor(private readonly subgroup: number) {}

  /** Each goes on to its next barrier, until all end. */
  run(threads: readonly Iterator<void>[]): void {
    for (;;) {
      const ended = threads.map((thread, local) => {
        this.now = local;
        return thread.next().done === true;
      });
      if (ended.some((e) => e !== ended[0])) throw new Error('not all threads meet');
      if (ended[0]) return;
      this.readers = new Map();
      this.writers = new Map();
    }
  }

  /** A subgroup's matrices are its first thread's. */
  readonly functions = {
    rowMatrixOf: (of: Value[], at: number, pitch: number) => this.first(() => matrix(of, at, pitch)),
    colMatrixOf: (of: Value[], at: number, pitch: number) => this.first(() => transposed(matrix(of, at, pitch))),
    putMatrix: (to: Value[], at: number, values: number[], pitch: number) =>
      this.first(() => values.forEach((v, i) => (to[at + Math.floor(i / 16) * pitch + (i % 16)] = v))),
    multiplied: (a: number[], b: number[], sums: number[]) => this.first(() => product(a, b, sums)),
  };

  private first<T>(of: () => T): T | undefined {
    return this.now % this.subgroup === 0 ? of() : undefined;
  }

  shared(name: string, length: number): Value[] {
    const values = new Array<Value | undefined>(length).fill(undefined);
    return indexed(
      (at) => {
        const place = within(name, at, length);
        const writer = this.writers.get(place);
        if (writer !== undefined && writer !== this.now) throw new Error(`${place} is read while it is written`);
        this.readers.set(place, (this.readers.get(place) ?? new Set()).add(this.now));
        const value = values[at];
        if (value === undefined) throw new Error(`${place} is read before it is written`);
        return value;
      },
      (at, value) => {
        const place = within(name, at, length);
        const others = [this.writers.get(place) ?? this.now, ...(this.readers.get(place) ?? [])].some((who) => who !== this.now);
        if (others) throw new Error(`${place} is written while others use it`);
        this.writers.set(place, this.now);
        values[at] = value;
      },
    );
  }

  /** Single values, or vectors of eight; each is stored once. What lies outside may be read where a `select` leaves it out. */
  bound(name: string, values: number[], wgsl: string): Value[] {
    const wide = wgsl.includes(`> ${name}: array<vec4<u32>>`) ? 8 : 1;
    const stored = new Set<number>();
    return indexed(
      (at) => {
        if (wide === 1) return values[at] ?? NaN;
        within(name, at, Math.floor(values.length / wide));
        return values.slice(at * wide, (at + 1) * wide);
      },
      (at, value) => {
        const place = within(name, at, values.length);
        if (stored.has(at)) throw new Error(`${place} is stored twice`);
        stored.add(at);
        values[at] = value as number;
      },
    );
  }
}

function within(name: string, at: number, length: number): string {
  if (!Number.isInteger(at) || at < 0 || at >= length) throw new Error(`${name}[${at}] of ${length}`);
  return `${name}[${at}]`;
}

function indexed(get: (at: number) => Value, set: (at: number, value: Value) => void): Value[] {
  return new Proxy<Value[]>([], {
    get: (_, at) => get(Number(at)),
    set: (_, at, value: Value) => {
      set(Number(at), value);
      return true;
    },
  });
}

/** 16 lines of two vectors of eight. */
const matrix = (of: Value[], at: number, pitch: number): number[] =>
  Array.from({ length: 32 }, (_, i) => of[at + Math.floor(i / 2) * pitch + (i % 2)] as number[]).flat();

const transposed = (m: readonly number[]): number[] => m.map((_, i) => m[(i % 16) * 16 + Math.floor(i / 16)] ?? NaN);

function product(a: readonly number[], b: readonly number[], sums: readonly number[]): number[] {
  return sums.map((sum, at) => {
    const [i, j] = [Math.floor(at / 16), at % 16];
    for (let k = 0; k < 16; k++) sum += (a[i * 16 + k] ?? NaN) * (b[k * 16 + j] ?? NaN);
    return sum;
  });
}
