/**
 * @file The text of a kernel around its bodies. In: one body, or several that run side by side, and what all of them bind.
 * Out: the text, and the graph node behind each line. With several, each is a function, and the first workgroups run the first:
 * which one is the same for all threads of a workgroup, so they may meet in it.
 */
import { invariant } from '../errors.ts';
import { dtypes, type DType } from '../tensor/dtype.ts';
import { ZERO } from './numbers.ts';
import { QUAD } from './quads.ts';
import type { Line } from './scope.ts';

/** A body, and what it needs around it. */
export interface SectionText {
  readonly lines: readonly Line[];
  /** Functions and variables that stand before it. */
  readonly preludes: ReadonlySet<string>;
  /** Extensions of WGSL, and further parameters of the kernel. */
  readonly enables: ReadonlySet<string>;
  readonly builtins: ReadonlySet<string>;
  readonly parameters: Int32Array;
  /** Vectors of four of them, if any, as text. */
  readonly vectors?: string;
  readonly workgroups: number;
}

export interface KernelText {
  readonly wgsl: string;
  /** For each line the graph node that it computes for, -1 for the frame. */
  readonly origins: readonly number[];
  /** Values of `p`, as raw 32-bit words; empty when nothing is a parameter. */
  readonly parameters: Int32Array;
  readonly workgroupSize: number;
  /** Workgroups of one dispatch, all in a row; the launcher folds them into two dims where they are too many. */
  readonly workgroups: number;
}

export interface BoundBuffer {
  readonly dtype: DType;
  readonly writable: boolean;
  /** Where it is accessed in vectors: of four elements, or of eight halves. */
  readonly vector?: 'quad' | 'octet';
  /** How many elements it has where it is bound as a uniform. */
  readonly uniform?: number;
}

/** The number of a workgroup, where all run the same. */
const PLACE = 'i32(group.x + group.y * groups.x)';

/** Text for the number of a workgroup among those that run one body of so many. */
export const groupIn = (sections: number): string => (sections === 1 ? PLACE : 'group');

export function kernelText(sections: readonly SectionText[], buffers: readonly BoundBuffer[], workgroupSize: number): KernelText {
  const { parameters, vectors } = invariant(
    sections.length === 1 || sections.every(isPlain) ? sections[0] : undefined,
    'what runs side by side has its numbers written out, and only a place',
  );
  const lines: Line[] = [];
  const line = (text: string) => lines.push({ text, origin: -1 });
  const halves = buffers.some((b) => b.dtype === 'float16') ? ['f16'] : [];
  for (const name of new Set([...halves, ...sections.flatMap((s) => [...s.enables])])) line(`enable ${name};`);
  buffers.forEach((b, i) => line(`@group(0) @binding(${i}) ${declared(b, `b${i}`)};`));
  if (vectors !== undefined) line(`@group(0) @binding(${buffers.length}) var<uniform> p: array<vec4<i32>, ${vectors}>;`);
  const preludes = preludesOf(sections);
  for (const prelude of preludes) prelude.split('\n').forEach(line);
  line('');
  const [only] = sections;
  const body = sections.length === 1 && only ? indented(only.lines) : sideBySide(sections, lines);
  line(`@compute @workgroup_size(${workgroupSize})`);
  line('fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,');
  const further = sections.flatMap((s) => [...s.builtins]).map((b) => `, ${b}`);
  line(`        @builtin(local_invocation_index) local: u32${further.join('')}) {`);
  // All workgroups are in two dims.
  if (preludes.has(ZERO)) line('  zero = f32(groups.z - 1u);');
  lines.push(...body);
  line('}');
  return {
    wgsl: lines.map((l) => l.text).join('\n') + '\n',
    origins: lines.map((l) => l.origin),
    parameters,
    workgroupSize,
    workgroups: sections.reduce((n, s) => n + s.workgroups, 0),
  };
}

const isPlain = ({ vectors, builtins }: SectionText): boolean => vectors === undefined && builtins.size === 0;

/** Writes each body as a function; gives lines that run the one that a workgroup is for. */
function sideBySide(sections: readonly SectionText[], lines: Line[]): Line[] {
  const body: Line[] = [{ text: `  let place = ${PLACE};`, origin: -1 }];
  let first = 0;
  sections.forEach((section, i) => {
    lines.push({ text: `fn section${i}(group: i32, local: u32) {`, origin: -1 }, ...indented(section.lines));
    lines.push({ text: '}', origin: -1 }, { text: '', origin: -1 });
    const place = first === 0 ? 'place' : `place - ${first}`;
    first += section.workgroups;
    const last = i === sections.length - 1;
    const head = last ? '  } else {' : `  ${i === 0 ? '' : '} else '}if (place < ${first}) {`;
    body.push({ text: head, origin: -1 }, { text: `    section${i}(${place}, local);`, origin: section.lines[0]?.origin ?? -1 });
  });
  return [...body, { text: '  }', origin: -1 }];
}

const indented = (lines: readonly Line[]): Line[] => lines.map((l) => ({ text: `  ${l.text}`, origin: l.origin }));

/** Those of all, each once: one name never stands for two things, such as workgroup memory of two sizes. */
function preludesOf(sections: readonly SectionText[]): Set<string> {
  const preludes = new Set(sections.flatMap((s) => [...s.preludes]));
  const names = [...preludes].map((text) => /^(?:var<\w+>|fn) (\w+)/.exec(text)?.[1] ?? text);
  invariant(new Set(names).size === names.length, 'what runs side by side shares what has one name');
  return preludes;
}

function declared(b: BoundBuffer, name: string): string {
  if (b.uniform === undefined) return `var<storage, ${b.writable ? 'read_write' : 'read'}> ${name}: array<${elementType(b)}>`;
  return `var<uniform> ${name}: array<vec4<${elementType(b)}>, ${Math.ceil(b.uniform / QUAD)}>`;
}

export function elementType({ dtype, vector }: BoundBuffer): string {
  const type = invariant(dtypes[dtype].storage, `${dtype} is never stored on a device with kernels`);
  return vector === 'octet' ? 'vec4<u32>' : vector === 'quad' ? `vec4<${type}>` : type;
}
