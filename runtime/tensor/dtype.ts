/** @file Element types. In: a name. Out: its size on the device, its WGSL type, its typed array. */

export type DType = 'float32' | 'int32' | 'uint32' | 'bool';

export type HostArray = Float32Array | Int32Array | Uint32Array | Float64Array;

interface DTypeInfo {
  /** Bytes an element takes in a device buffer. A bool takes a whole word there. */
  readonly bytes: number;
  /** Type of a value in a kernel. */
  readonly wgsl: 'f32' | 'i32' | 'u32' | 'bool';
  /** Type of an element in a buffer. */
  readonly storage: 'f32' | 'i32' | 'u32';
  readonly short: string;
  /** Rank in type promotion: the larger wins. */
  readonly rank: number;
  /** The smallest and largest values there are. */
  readonly least: number;
  readonly most: number;
  readonly fromHost: (length: number) => Float32Array | Int32Array | Uint32Array;
}

export const dtypes: Readonly<Record<DType, DTypeInfo>> = {
  bool: {
    bytes: 4,
    wgsl: 'bool',
    storage: 'u32',
    short: 'bool',
    rank: 0,
    least: 0,
    most: 1,
    fromHost: (n) => new Uint32Array(n),
  },
  uint32: {
    bytes: 4,
    wgsl: 'u32',
    storage: 'u32',
    short: 'u32',
    rank: 1,
    least: 0,
    most: 2 ** 32 - 1,
    fromHost: (n) => new Uint32Array(n),
  },
  int32: {
    bytes: 4,
    wgsl: 'i32',
    storage: 'i32',
    short: 'i32',
    rank: 2,
    least: -(2 ** 31),
    most: 2 ** 31 - 1,
    fromHost: (n) => new Int32Array(n),
  },
  float32: {
    bytes: 4,
    wgsl: 'f32',
    storage: 'f32',
    short: 'f32',
    rank: 3,
    least: -Infinity,
    most: Infinity,
    fromHost: (n) => new Float32Array(n),
  },
};

/** PyTorch's promotion among tensors of the same category of rank (a 0-d tensor counts as any other here). */
export function promote(a: DType, b: DType): DType {
  return dtypes[a].rank >= dtypes[b].rank ? a : b;
}
