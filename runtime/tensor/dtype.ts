/**
 * @file Element types. In: a name. Out: what it is on the host, in a device's memory and in a kernel, and which type comes of
 * several. Half precision is a way of storing: kernels compute it in float32 and round every result.
 */
import { fromHalfBits, halfBits, toHalf } from './half.ts';
import type { Shape } from './shape.ts';

export type DType = 'float64' | 'float32' | 'float16' | 'int32' | 'uint32' | 'bool';

export type HostArray = Float32Array | Int32Array | Uint32Array | Float64Array;
export type DeviceArray = Float32Array | Int32Array | Uint32Array | Uint16Array | Float64Array;

/** Of what kind numbers are: operands of a higher category decide the type of a result, whatever their size. */
type Category = 'truth' | 'whole' | 'float';
const CATEGORIES: readonly Category[] = ['truth', 'whole', 'float'];

interface DTypeInfo {
  /** Bytes an element takes in a device buffer. A bool takes a whole word there. */
  readonly bytes: number;
  /** Type of a value in a kernel. */
  readonly wgsl: 'f32' | 'i32' | 'u32' | 'bool';
  /** Type of an element in a buffer; absent for a type that no kernel knows. */
  readonly storage?: 'f32' | 'f16' | 'i32' | 'u32';
  /** What a device must have to know the type. */
  readonly feature?: 'shader-f16';
  readonly short: string;
  readonly category: Category;
  /** The larger wins among types of one category. */
  readonly rank: number;
  /** The smallest and largest values there are. */
  readonly least: number;
  readonly most: number;
  /** The nearest number that the type holds; whole ones lose their fraction and wrap around. */
  readonly round: (x: number) => number;
  /** As a device's memory holds them: the array itself where it is of that type. */
  readonly encode: (data: ArrayLike<number>) => DeviceArray;
  readonly decode: (bytes: ArrayBuffer) => HostArray;
}

const float = {
  wgsl: 'f32',
  category: 'float',
  least: -Infinity,
  most: Infinity,
} as const;

export const dtypes: Readonly<Record<DType, DTypeInfo>> = {
  bool: {
    bytes: 4,
    wgsl: 'bool',
    storage: 'u32',
    short: 'bool',
    category: 'truth',
    rank: 0,
    least: 0,
    most: 1,
    round: (x) => Number(x !== 0),
    encode: (data) => Uint32Array.from(data, (x) => Number(x !== 0)),
    decode: (bytes) => new Uint32Array(bytes),
  },
  uint32: {
    bytes: 4,
    wgsl: 'u32',
    storage: 'u32',
    short: 'u32',
    category: 'whole',
    rank: 1,
    least: 0,
    most: 2 ** 32 - 1,
    round: (x) => Math.trunc(x) >>> 0,
    encode: (data) => (data instanceof Uint32Array ? data : Uint32Array.from(data)),
    decode: (bytes) => new Uint32Array(bytes),
  },
  int32: {
    bytes: 4,
    wgsl: 'i32',
    storage: 'i32',
    short: 'i32',
    category: 'whole',
    rank: 2,
    least: -(2 ** 31),
    most: 2 ** 31 - 1,
    round: (x) => Math.trunc(x) | 0,
    encode: (data) => (data instanceof Int32Array ? data : Int32Array.from(data)),
    decode: (bytes) => new Int32Array(bytes),
  },
  float16: {
    ...float,
    bytes: 2,
    storage: 'f16',
    feature: 'shader-f16',
    short: 'f16',
    rank: 3,
    round: toHalf,
    encode: (data) => Uint16Array.from(data, halfBits),
    decode: (bytes) => Float32Array.from(new Uint16Array(bytes), fromHalfBits),
  },
  float32: {
    ...float,
    bytes: 4,
    storage: 'f32',
    short: 'f32',
    rank: 4,
    round: Math.fround,
    encode: (data) => (data instanceof Float32Array ? data : Float32Array.from(data)),
    decode: (bytes) => new Float32Array(bytes),
  },
  float64: {
    ...float,
    bytes: 8,
    short: 'f64',
    rank: 5,
    round: (x) => x,
    encode: (data) => Float64Array.from(data),
    decode: (bytes) => new Float64Array(bytes),
  },
};

export function isFloat(dtype: DType): boolean {
  return dtypes[dtype].category === 'float';
}

export function isWhole(dtype: DType): boolean {
  return dtypes[dtype].category === 'whole';
}

/** What a kernel computes numbers of the type in. */
export function arithmeticType(dtype: DType): DType {
  return dtype === 'float16' ? 'float32' : dtype;
}

/** The larger of two types: of the higher category, else of the higher rank. */
export function promote(a: DType, b: DType): DType {
  return dtypes[a].rank >= dtypes[b].rank ? a : b;
}

/**
 * The type of what comes of several operands, by PyTorch's rule: tensors with dims decide, unless a tensor of one number, or
 * else a plain number, is of a higher category. Undefined without tensors.
 */
export function resultType(operands: readonly ({ readonly shape: Shape; readonly dtype: DType } | number)[]): DType | undefined {
  const tensors = operands.filter((x) => typeof x !== 'number');
  const among = (some: readonly { readonly dtype: DType }[]) =>
    some.reduce((type: DType | undefined, x) => (type === undefined ? x.dtype : promote(type, x.dtype)), undefined);
  const type = higher(among(tensors.filter((x) => x.shape.length > 0)), among(tensors.filter((x) => x.shape.length === 0)));
  return operands.reduce((known: DType | undefined, x) => (typeof x === 'number' && known ? withNumber(known, x) : known), type);
}

function higher(strong: DType | undefined, weak: DType | undefined): DType | undefined {
  if (!strong || !weak) return strong ?? weak;
  const level = (type: DType) => CATEGORIES.indexOf(dtypes[type].category);
  return level(weak) > level(strong) ? promote(strong, weak) : strong;
}

function withNumber(type: DType, x: number): DType {
  if (isFloat(type)) return type;
  if (!Number.isInteger(x)) return 'float32';
  return type === 'bool' ? 'int32' : type;
}
