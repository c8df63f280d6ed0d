/**
 * @file Tensor: a view of a storage. Its op methods are the op table's, receiver first (see ops/table.ts); what stands
 * here is only what is not an op: metadata, reading back, and errors where JavaScript would silently misread a tensor.
 */
import { JitLensError } from '../errors.ts';
import type { OpMethods } from '../ops/methods.ts';
import { dtypes, type DType, type HostArray } from './dtype.ts';
import { isContiguous, type Layout } from './layout.ts';
import { formatShape, numel, type Shape } from './shape.ts';
import type { Storage } from './storage.ts';

// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging, @typescript-eslint/no-empty-object-type -- the methods are put on the prototype by ops/table.ts
export interface Tensor extends OpMethods {}

/** A rectangular array on a device. Ops run when they are called; `await data()` and `await item()` read it back. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging
export class Tensor {
  /** Whether a gradient is wanted for it, or for something that it was made from. */
  requiresGrad = false;
  private ownGrad: Tensor | undefined;
  /** Whether somebody outside may hold the gradient: what nobody has seen can be given back when it is replaced. */
  private gradShown = false;

  constructor(
    /** @internal */ readonly storage: Storage,
    /** @internal */ readonly layout: Layout,
    private knownForm?: number,
  ) {}

  /** The gradient that `backward()` left here; only on tensors that no op made. */
  get grad(): Tensor | undefined {
    this.gradShown = true;
    return this.ownGrad;
  }
  set grad(g: Tensor | undefined) {
    this.leaveGrad(g);
    this.gradShown = true;
  }

  /** The gradient, for code that does not hold on to it. @internal */
  get heldGrad(): Tensor | undefined {
    return this.ownGrad;
  }

  /** Puts a gradient here that nobody else holds. @internal */
  leaveGrad(g: Tensor | undefined): void {
    if (this.ownGrad && !this.gradShown && this.ownGrad.storage !== g?.storage) this.ownGrad.dispose();
    this.ownGrad = g;
    this.gradShown = false;
  }

  /** Equal for tensors of one dtype and layout, which ops treat alike. @internal */
  get form(): number {
    return (this.knownForm ??= formOf(this.storage.dtype, this.layout));
  }

  /** Sizes, outermost first. */
  get shape(): Shape {
    return this.layout.shape;
  }
  get dtype(): DType {
    return this.storage.dtype;
  }
  /** Steps between neighbours in each dim, in elements. */
  get strides(): readonly number[] {
    return this.layout.strides;
  }
  /** Number of dims. */
  get rank(): number {
    return this.layout.shape.length;
  }
  /** Number of elements. */
  get numel(): number {
    return numel(this.layout.shape);
  }
  /** Size of dim `dim`, which may count from the end. */
  size(dim: number): number {
    const size = this.layout.shape.at(dim);
    if (size === undefined) {
      throw new JitLensError(
        'JLT-DIM',
        `size(${dim}) of a tensor of shape ${formatShape(this.shape)}`,
        'Name a dim that it has.',
      );
    }
    return size;
  }
  isContiguous(): boolean {
    return isContiguous(this.layout);
  }

  /** All elements in row-major order. Waits for the device. */
  data(): Promise<HostArray> {
    return this.storage.backend.read(this.storage, this.layout);
  }

  /** The value of a tensor with one element. Waits for the device. */
  async item(): Promise<number> {
    const [value, more] = this.numel === 1 ? await this.data() : [];
    if (value === undefined || more !== undefined) {
      throw new JitLensError(
        'JLT-ITEM',
        `item() of a tensor of shape ${formatShape(this.shape)}, which has ${this.numel} elements`,
        'Reduce it to one element first, or use data().',
      );
    }
    return value;
  }

  /** Gives its memory back at once, for all views of it. Without this the memory goes when nothing holds the tensor. */
  dispose(): void {
    this.storage.release();
  }

  toString(): string {
    return `Tensor(${formatShape(this.shape)} ${dtypes[this.dtype].short} on ${this.storage.backend.info.name})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString();
    throw new JitLensError(
      'JL401',
      `arithmetic and comparison operators do not work on tensors (${this.toString()})`,
      'Use methods: a.add(b), a.sub(b), a.mul(b), a.div(b), a.lt(b), x.neg().',
    );
  }
}

const forms = new Map<string, number>();

/** A number that stands for a dtype and a layout: keys made of such numbers are short. */
export function formOf(dtype: DType, { shape, strides, offset }: Layout): number {
  const text = `${dtype}[${shape.join()}](${strides.join()})@${offset}`;
  let form = forms.get(text);
  if (form === undefined) forms.set(text, (form = forms.size));
  return form;
}
