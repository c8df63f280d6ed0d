/**
 * @file Values with tensors somewhere inside, as functions take and return them. In: a tensor, or arrays and records of
 * such values. Out: the tensors in order, and a way to put others in their places.
 */
import { JitLensError } from '../errors.ts';
import { Tensor } from '../tensor/tensor.ts';

export interface Tree {
  readonly tensors: readonly Tensor[];
  /** All that is not a tensor, and where the tensors stand, as text. */
  readonly form: string;
  /** How to reach a tensor, as text. */
  readonly path: (position: number) => string;
  /** The same structure around other tensors. */
  readonly rebuild: (tensors: readonly Tensor[]) => unknown;
}

const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;

export function flattenTree(value: unknown, what: string): Tree {
  const items: unknown[] = Array.isArray(value) ? [...(value as unknown[])] : [];
  // What most calls are, made at each of them: tensors side by side.
  if (items.length > 0 && items.every(isTensor)) {
    return {
      tensors: items,
      form: `[ ${'T '.repeat(items.length)}]`,
      path: (i) => `${what}[${i}]`,
      rebuild: (tensors) => [...tensors],
    };
  }
  const tensors: Tensor[] = [];
  const parts: string[] = [];
  const paths: string[] = [];
  const around = new Set<unknown>();
  const visit = (x: unknown, path: string): ((at: readonly Tensor[]) => unknown) => {
    if (around.has(x)) throw new JitLensError('JL608', `${path} contains itself`, 'Pass the tensors in it one by one.');
    if (typeof x !== 'object' || x === null || x instanceof Tensor) return inside(x, path);
    around.add(x);
    const rebuild = inside(x, path);
    around.delete(x);
    return rebuild;
  };
  const inside = (x: unknown, path: string): ((at: readonly Tensor[]) => unknown) => {
    if (x instanceof Tensor) {
      const place = tensors.push(x) - 1;
      parts.push('T');
      paths.push(path);
      return (at) => at[place];
    }
    if (x === null || ['undefined', 'boolean', 'number', 'string'].includes(typeof x)) {
      parts.push(typeof x === 'string' ? JSON.stringify(x) : Object.is(x, -0) ? '-0' : String(x));
      return () => x;
    }
    if (Array.isArray(x)) {
      parts.push('[');
      // A hole is an element that is undefined.
      const items = Array.from(x as unknown[], (item, i) => visit(item, `${path}[${i}]`));
      parts.push(']');
      return (at) => items.map((item) => item(at));
    }
    if (typeof x === 'object' && Object.getPrototypeOf(x) === Object.prototype) {
      parts.push('{');
      const fields = Object.entries(x).map(([name, item]) => {
        parts.push(`${JSON.stringify(name)}:`);
        return [name, visit(item, `${path}.${name}`)] as const;
      });
      parts.push('}');
      return (at) => Object.fromEntries(fields.map(([name, field]) => [name, field(at)]));
    }
    const kind = typeof x === 'object' ? `an instance of ${x.constructor.name}` : `a ${typeof x}`;
    throw new JitLensError(
      'JL608',
      `${path} is ${kind}, which a trace cannot follow`,
      'Use tensors, numbers, strings, booleans, and arrays or plain objects of them.',
    );
  };
  const build = visit(value, what);
  return { tensors, form: parts.join(' '), path: (i) => paths[i] ?? what, rebuild: build };
}
