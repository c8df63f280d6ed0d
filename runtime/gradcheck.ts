/**
 * @file Checks gradients. In: a function of tensors and where to try it. Out: nothing, or an error that names the first
 * element that is wrong. Runs in float64 on the reference device, whatever device the inputs are on.
 */
import { grad } from './autograd/index.ts';
import { ReferenceBackend } from './device/reference.ts';
import { JitLensError } from './errors.ts';
import { setCurrentBackend } from './tensor/backend.ts';
import { isFloat, type DType } from './tensor/dtype.ts';
import { contiguous } from './tensor/layout.ts';
import { formatShape, type Shape } from './tensor/shape.ts';
import { Tensor } from './tensor/tensor.ts';

export interface GradcheckOptions {
  /** How far an element is moved each way. Default 1e-6. */
  readonly eps?: number;
  /** How far off an element of the Jacobian may be: `atol` + `rtol` · |its value|. Default 1e-5 and 1e-3. */
  readonly atol?: number;
  readonly rtol?: number;
}

type Checked = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

interface Point {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly values: readonly number[];
}

const reference = new ReferenceBackend();

/**
 * Compares each element of the Jacobian of `fn`, as gradients give it, with a central difference. `fn` is called with copies
 * of the inputs on the reference device, so all other tensors that it uses must be made inside. Errors: JLT-GRADCHECK.
 */
export async function gradcheck(fn: Checked, inputs: readonly Tensor[], options: GradcheckOptions = {}): Promise<void> {
  const { eps = 1e-6, atol = 1e-5, rtol = 1e-3 } = options;
  const points = await Promise.all(inputs.map(read));
  const jacobian = await slopes(fn, points);
  const wrong: string[] = [];
  for (const [i, point] of points.entries()) {
    if (!isFloat(point.dtype)) continue;
    for (let at = 0; at < point.values.length; at++) {
      const [more, less] = [await valuesAt(fn, moved(points, i, at, eps)), await valuesAt(fn, moved(points, i, at, -eps))];
      jacobian.forEach(({ output, element, shape, rows }) => {
        const wanted = ((more[output]?.[element] ?? NaN) - (less[output]?.[element] ?? NaN)) / (2 * eps);
        const got = rows[i]?.[at] ?? 0;
        if (Math.abs(got - wanted) <= atol + rtol * Math.abs(wanted)) return;
        const name = `d output ${output}${placeOf(shape, element)} / d input ${i}${placeOf(point.shape, at)}`;
        wrong.push(`${name} is ${got}, and by differences ${wanted}`);
      });
    }
  }
  if (wrong.length === 0) return;
  throw new JitLensError(
    'JLT-GRADCHECK',
    `gradcheck: ${wrong[0] ?? ''}${wrong.length > 1 ? ` (the first of ${wrong.length} wrong elements)` : ''}`,
    'Correct the gradient, or try a point where the function is smooth.',
  );
}

/** As `gradcheck`, for the gradients of the gradients: those of the sum of the outputs, each element times a fixed number. */
export async function gradgradcheck(fn: Checked, inputs: readonly Tensor[], options: GradcheckOptions = {}): Promise<void> {
  const first: Checked = (...xs) => {
    const leaves = xs.filter((x) => isFloat(x.dtype));
    for (const x of leaves) if (!x.requiresGrad) x.requiresGrad_();
    const outputs = [fn(...xs)].flat();
    const gradOutputs = outputs.map(({ shape, dtype, numel }) =>
      made({ shape, dtype, values: Array.from({ length: numel }, (_, i) => Math.cos(1 + i)) }),
    );
    return grad(outputs, leaves, { gradOutputs, createGraph: true }).filter((g) => g !== undefined);
  };
  return gradcheck(first, inputs, options);
}

/** For each element of each output, its slopes along the elements of each input. */
async function slopes(fn: Checked, points: readonly Point[]) {
  const found = onReference(() => {
    const inputs = points.map((p) => (isFloat(p.dtype) ? made(p).requiresGrad_() : made(p)));
    return [fn(...inputs)].flat().flatMap((out, output) =>
      Array.from({ length: out.numel }, (_, element) => {
        const unit = made({ shape: out.shape, dtype: out.dtype, values: oneAt(out.numel, element) });
        const rows = out.requiresGrad ? grad([out], inputs, { gradOutputs: [unit], retainGraph: true }) : [];
        return { output, element, shape: out.shape, rows };
      }),
    );
  });
  return Promise.all(
    found.map(async (f) => ({ ...f, rows: await Promise.all(f.rows.map(async (row) => [...((await row?.data()) ?? [])])) })),
  );
}

async function valuesAt(fn: Checked, points: readonly Point[]): Promise<number[][]> {
  const outputs = onReference(() => [fn(...points.map(made))].flat());
  return Promise.all(outputs.map(async (x) => [...(await x.data())]));
}

function moved(points: readonly Point[], input: number, at: number, by: number): Point[] {
  return points.map((p, i) => (i === input ? { ...p, values: p.values.map((v, j) => (j === at ? v + by : v)) } : p));
}

async function read(x: Tensor): Promise<Point> {
  return { shape: x.shape, dtype: x.dtype, values: [...(await x.data())] };
}

function made({ shape, dtype, values }: Point): Tensor {
  return new Tensor(reference.upload(dtype, values), contiguous(shape));
}

function onReference<T>(body: () => T): T {
  const previous = setCurrentBackend(reference);
  try {
    return body();
  } finally {
    setCurrentBackend(previous);
  }
}

/** `[2, 0]` for an element of a matrix, nothing for that of a number. */
function placeOf(shape: Shape, flat: number): string {
  let rest = flat;
  const at = [...shape].reverse().map((size) => {
    const n = rest % size;
    rest = Math.floor(rest / size);
    return n;
  });
  return at.length > 0 ? ` at ${formatShape(at.reverse())}` : '';
}

function oneAt(length: number, place: number): number[] {
  return Array.from({ length }, (_, i) => Number(i === place));
}
