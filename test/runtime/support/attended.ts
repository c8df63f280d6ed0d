/**
 * @file Attention written out in float64. In: queries, keys and values of some places, and what becomes of each score. Out: for each
 * query the values, mixed by the exponentials of its scores. It knows nothing of how the library computes it.
 */
export interface Places {
  /** Places of one head of one batch, row-major: [places, features]. */
  readonly data: Float64Array;
  readonly features: number;
}

/** What a score becomes, and what its share is multiplied by. */
export interface Rules {
  readonly score?: (product: number, query: number, key: number) => number;
  readonly share?: (share: number, query: number, key: number) => number;
}

export function attended(q: Places, k: Places, v: Places, { score = (s) => s, share = (s) => s }: Rules = {}): Float64Array {
  const [queries, keys] = [q.data.length / q.features, k.data.length / k.features];
  const out = new Float64Array(queries * v.features);
  for (let i = 0; i < queries; i++) {
    const scores = Array.from({ length: keys }, (_, j) => {
      let sum = 0;
      for (let f = 0; f < q.features; f++) sum += (q.data[i * q.features + f] ?? NaN) * (k.data[j * k.features + f] ?? NaN);
      return score(sum, i, j);
    });
    const most = scores.reduce((a, b) => Math.max(a, b));
    const powers = scores.map((s) => Math.exp(s - most));
    const total = powers.reduce((a, b) => a + b);
    for (let f = 0; f < v.features; f++) {
      let sum = 0;
      powers.forEach((p, j) => (sum += share(p / total, i, j) * (v.data[j * v.features + f] ?? NaN)));
      out[i * v.features + f] = sum;
    }
  }
  return out;
}
