/**
 * @file From the shares of threads to a sum. In: what each of some threads of a workgroup has added up. Out: lines after which
 * all of them have the whole. Every thread of the workgroup must come by. Two short rounds need few barriers.
 */
import { dtypes } from '../tensor/dtype.ts';
import { combined, type Sum } from './expr.ts';
import type { Scope } from './scope.ts';
import type { Writer } from './writer.ts';

/** Threads that share a sum, as places in a workgroup. */
export interface Sharers {
  readonly lanes: number;
  /** The name of a thread's number among them. */
  readonly lane: string;
  /** Places from one to the next. */
  readonly step: number;
  /** Text for the place of the first. */
  readonly first: string;
  /** Threads of the workgroup. */
  readonly threads: number;
}

/** Up to so many shares are folded by every thread for itself. */
const FOLDED_AT_ONCE = 8;

/** `total` names a thread's share before, and the sum after. */
export function fold(w: Writer, scope: Scope, sum: Sum, total: string, sharers: Sharers): void {
  const { lanes, lane, step, first, threads } = sharers;
  const type = dtypes[sum.type].wgsl;
  const shared = `shared_${type}`;
  w.preludes.add(`var<workgroup> ${shared}: array<${type}, ${threads}>;`);
  const line = (text: string) => {
    scope.line(text, sum.origin);
  };
  const shares = lanes <= FOLDED_AT_ONCE ? lanes : 2 ** Math.ceil(Math.log2(lanes) / 2);
  const far = step === 1 ? 'i' : `i * ${step}u`;
  const from = first === '0u' ? far : `${first} + ${far}`;
  line(`${shared}[local] = ${total};`);
  line('workgroupBarrier();');
  if (shares < lanes) {
    const more = combined(sum, total, `${shared}[local + ${far}]`);
    line(`if (${lane} < ${shares}) {`);
    line(`  for (var i = ${shares}u; i < ${lanes}u; i += ${shares}u) { ${total} = ${more}; }`);
    line(`  ${shared}[local] = ${total};`);
    line('}');
    line('workgroupBarrier();');
  }
  line(`${total} = ${shared}[${first}];`);
  line(`for (var i = 1u; i < ${shares}u; i++) { ${total} = ${combined(sum, total, `${shared}[${from}]`)}; }`);
  // The next sum puts its shares where these are still being read.
  line('workgroupBarrier();');
}
