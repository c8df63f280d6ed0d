/**
 * @file The graph's controls. In: the view state. Out: changes to it, and “fit”. The legend says what the colour means
 * and where it ends; the numbers stand in the boxes.
 */
import type { VNode } from 'preact';
import { Busy, Button, Checkbox, Dropdown } from '../components.tsx';
import { metricNames, metricOf, metrics, metricText, type Metric } from '../model/heat.ts';
import type { ProfileIndex } from '../model/joins.ts';
import type { ViewState } from '../model/viewState.ts';

interface GraphToolbarProps {
  readonly index: ProfileIndex;
  readonly view: ViewState;
  readonly expanded: readonly string[];
  readonly busy: boolean;
  readonly problem?: string;
  readonly onFit: () => void;
  readonly onChange: (change: Partial<ViewState>) => void;
  readonly onCancel: () => void;
}

function Legend({ index, metric }: { readonly index: ProfileIndex; readonly metric: Metric }): VNode {
  const values = index.traced.map((kernel) => metricOf(metric, kernel)).filter((value) => value !== undefined);
  if (values.length === 0) return <span class="muted">not measured</span>;
  const largest = values.reduce((best, value) => Math.max(best, value));
  return (
    <span
      class="legend"
      title={`Colour and bar: share of the costliest kernel’s ${metricNames[metric].toLowerCase()}; of the costliest op’s for ops.`}
    >
      0
      <i class="ramp" />
      {metricText(index, metric, largest)}
    </span>
  );
}

export function GraphToolbar({ index, view, expanded, busy, problem, onFit, onChange, onCancel }: GraphToolbarProps): VNode {
  const all = index.traced.map((kernel) => kernel.id);
  const open = expanded.length > 0;
  return (
    <div class="toolbar">
      <Dropdown<Metric>
        label="Colour"
        value={view.metric}
        options={metrics.map((metric) => [metric, metricNames[metric]])}
        onChange={(metric) => onChange({ metric })}
      />
      <Legend index={index} metric={view.metric} />
      <Button onClick={() => onChange({ expanded: open ? [] : all })}>{open ? 'Close kernels' : 'Open kernels'}</Button>
      <Checkbox
        checked={view.fold}
        onChange={(fold) => onChange({ fold })}
        title="Draw the ops of one call in the source as one box, ×n."
      >
        Fold repeats
      </Checkbox>
      <Checkbox
        checked={view.quiet}
        onChange={(quiet) => onChange({ quiet })}
        title="Draw views and ops that were folded, shared or removed."
      >
        Views
      </Checkbox>
      <Button
        label={view.direction === 'TB' ? 'Drawn top to bottom. Draw left to right.' : 'Drawn left to right. Draw top to bottom.'}
        onClick={() => onChange({ direction: view.direction === 'TB' ? 'LR' : 'TB' })}
      >
        {view.direction === 'TB' ? '↓ Down' : '→ Right'}
      </Button>
      <Button onClick={onFit} label="Fit the graph (f)">
        Fit
      </Button>
      {busy && (
        <span class="working">
          <Busy /> <span class="muted">arranging</span>
          <button class="link" onClick={onCancel}>
            stop
          </button>
        </span>
      )}
      {problem !== undefined && <span class="muted">Simple layout: {problem}</span>}
    </div>
  );
}
