/**
 * @file What each pass left of the graph. In: pass reports in their order. Out: a row a pass, its bar as long as the
 * nodes that it left, with time and counts in text.
 */
import type { VNode } from 'preact';
import type { PassReport } from '../../runtime/profile/model.ts';
import { count, milliseconds } from '../model/format.ts';

export function PassChart({ passes }: { readonly passes: readonly PassReport[] }): VNode | null {
  if (passes.length === 0) return null;
  const most = passes.reduce((best, pass) => Math.max(best, pass.nodesBefore, pass.nodesAfter), 1);
  return (
    <table class="passes">
      <thead>
        <tr>
          <th scope="col">pass</th>
          <th scope="col" colSpan={2}>
            nodes
          </th>
          <th scope="col" class="number">
            time
          </th>
        </tr>
      </thead>
      <tbody>
        {passes.map((pass, at) => (
          <tr key={at} title={pass.doc}>
            <th scope="row">{pass.name}</th>
            <td class="pass-track">
              <div class="pass-before" style={{ width: `${(pass.nodesBefore / most) * 100}%` }}>
                <div
                  class="pass-after"
                  style={{ width: pass.nodesBefore > 0 ? `${Math.min(100, (pass.nodesAfter / pass.nodesBefore) * 100)}%` : '0' }}
                />
              </div>
            </td>
            <td class="number">
              {pass.nodesBefore === pass.nodesAfter
                ? count(pass.nodesAfter)
                : `${count(pass.nodesBefore)} → ${count(pass.nodesAfter)}`}
            </td>
            <td class="number muted">{milliseconds(pass.ms)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
