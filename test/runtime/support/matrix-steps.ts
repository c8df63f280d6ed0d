/**
 * @file Runs the steps of a product by matrix units on paper. In: a kernel's text. Out: for each of its sums, which units of terms it
 * adds up, in order; an error where a buffer is read before it is filled, or filled while it may still be read.
 */

/** A unit of a factor's terms. */
export interface Unit {
  readonly step: number;
  readonly k: number;
}

interface Buffer {
  step?: number;
  /** The vectors it has of that step. */
  vectors: Set<string>;
  readIn: number;
  writtenIn: number;
}

const UNIT = 16;

/** By sum, the units of its left factors and of its right ones. */
export function addedUp(text: string): Map<string, { left: Unit[]; right: Unit[] }> {
  const sums = new Map<string, { left: Unit[]; right: Unit[] }>();
  const loaded = new Map<string, number>();
  const matrices = new Map<string, Unit>();
  const buffers = new Map<string, Buffer>();
  let barriers = 0;
  let step = NaN;
  const bufferAt = (side: string, start: number) => {
    const [, size = ''] = new RegExp(`${side}_staged: array<vec4<u32>, (\\d+)>`).exec(text) ?? [];
    const half = Number(size) / 2;
    const key = `${side} ${Math.floor(start / half)}`;
    const buffer = buffers.get(key) ?? { vectors: new Set(), readIn: -1, writtenIn: -1 };
    buffers.set(key, buffer);
    return { buffer, key, within: start % half };
  };
  const vectorsOf = (side: string) => new Set([...text.matchAll(new RegExp(`var ${side}_next0_(\\d+):`, 'g'))].map((m) => m[1]));
  /** Each pattern, and what a line of it does. */
  const rules: readonly (readonly [RegExp, (...parts: string[]) => void])[] = [
    [/^workgroupBarrier/, () => barriers++],
    [
      /^let term = (?:min\((\d+), (\d+)\)|(\d+)) \* \d+/,
      (at, most, known) => {
        step = known ? Number(known) : Math.min(Number(at), Number(most));
      },
    ],
    [/^(\w+_next\d+_\d+) = /, (name) => loaded.set(name, step)],
    [
      /^(rows|columns)_staged\[(\d+)u .* = (\w+_next\d+_(\d+));/,
      (side, start, name, vector) => {
        const { buffer, key } = bufferAt(side, Number(start));
        if (buffer.readIn === barriers) throw new Error(`${key} is filled while it may be read`);
        const of = loaded.get(name);
        if (buffer.step !== of) Object.assign(buffer, { step: of, vectors: new Set() });
        buffer.vectors.add(vector);
        buffer.writtenIn = barriers;
      },
    ],
    [
      /^((left|right)\d_\d+) = subgroupMatrixLoad<.*, (row|col)_major>\(&(rows|columns)_staged, (\d+)u .*, (\d+)u\);/,
      (name, hand, order, side, start, pitch) => {
        const { buffer, key, within } = bufferAt(side, Number(start));
        if (buffer.writtenIn === barriers) throw new Error(`${key} is read before all have filled it`);
        if (buffer.vectors.size !== vectorsOf(side).size) throw new Error(`${key} is not whole`);
        buffer.readIn = barriers;
        const along = (hand === 'left') === (order === 'row');
        matrices.set(name, { step: buffer.step ?? NaN, k: along ? within / (UNIT / 8) : within / (UNIT * Number(pitch)) });
      },
    ],
    [
      /^(sum(\d+)_(\d+)) = subgroupMatrixMultiplyAccumulate\((left\d_(\d+)), (right\d_(\d+)), (\w+)\);/,
      (name, i, j, left, row, right, column, more) => {
        if (name !== more || i !== row || j !== column) throw new Error(`${name} adds up ${left} and ${right}`);
        const sum = sums.get(name) ?? { left: [], right: [] };
        const [a, b] = [matrices.get(left), matrices.get(right)];
        if (!a || !b) throw new Error(`${name} reads what is not there`);
        sum.left.push(a);
        sum.right.push(b);
        sums.set(name, sum);
      },
    ],
  ];
  for (const line of unrolled(text.split('\n')))
    for (const [pattern, act] of rules) {
      const found = pattern.exec(line);
      if (found) act(...found.slice(1));
    }
  return sums;
}

/** The lines as they are run: the loop over steps is written out. */
function unrolled(lines: readonly string[]): string[] {
  const start = lines.findIndex((l) => l.includes('for (var first'));
  const head = /^( *)for \(var first = 0; first < (\d+); first \+= (\d+)\) \{/.exec(lines[start] ?? '');
  if (!head) return lines.map((l) => l.trim());
  const [, indent = '', end, by] = head;
  const close = lines.indexOf(`${indent}}`, start);
  const body = lines.slice(start + 1, close);
  const rounds: string[] = [];
  for (let first = 0; first < Number(end); first += Number(by))
    rounds.push(...body.map((l) => l.replace(/first \+ (\d+)/, (_, n: string) => String(first + Number(n)))));
  return [...lines.slice(0, start), ...rounds, ...lines.slice(close + 1)].map((l) => l.trim());
}
