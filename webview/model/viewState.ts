/**
 * @file What the panel remembers over a reload. In: what was stored, whatever it is. Out: a whole view state; what is
 * missing or broken in it is as at first.
 */
import { arrayOf, isBoolean, isNumber, isObject, isString, oneOf, optional, shape, type Check } from './checks.ts';
import { metrics, type Metric } from './heat.ts';
import { isSelection, type Selection } from './selection.ts';
import { columns, groupings, type Grouping, type Sort } from './table.ts';

export const tabs = ['overview', 'graph', 'ops', 'kernels'] as const;
export type Tab = (typeof tabs)[number];

export type Direction = 'TB' | 'LR';

export interface Zoom {
  readonly x: number;
  readonly y: number;
  readonly k: number;
}

export interface ViewState {
  readonly tab: Tab;
  readonly selection?: Selection;
  readonly query: string;
  readonly direction: Direction;
  /** Open kernels; absent until the user opens or closes one. */
  readonly expanded?: readonly string[];
  readonly fold: boolean;
  readonly quiet: boolean;
  readonly metric: Metric;
  /** Absent: fit the graph. */
  readonly zoom?: Zoom;
  readonly sort: Sort;
  readonly grouping: Grouping;
  /** Open groups of the table. */
  readonly opened: readonly string[];
  readonly mode: 'traced' | 'eager';
}

export const initialView: ViewState = {
  tab: 'overview',
  query: '',
  direction: 'TB',
  fold: true,
  quiet: true,
  metric: 'time',
  sort: { descending: false },
  grouping: 'none',
  opened: [],
  mode: 'traced',
};

const checks: { readonly [K in keyof ViewState]-?: Check<ViewState[K]> } = {
  tab: oneOf(...tabs),
  selection: optional(isSelection),
  query: isString,
  direction: oneOf('TB', 'LR'),
  expanded: optional(arrayOf(isString)),
  fold: isBoolean,
  quiet: isBoolean,
  metric: oneOf(...metrics),
  zoom: optional(shape<Zoom>({ x: isNumber, y: isNumber, k: isNumber })),
  sort: shape<Sort>({ column: optional(oneOf(...columns)), descending: isBoolean }),
  grouping: oneOf(...groupings),
  opened: arrayOf(isString),
  mode: oneOf('traced', 'eager'),
};

export function parseViewState(stored: unknown): ViewState {
  if (!isObject(stored)) return initialView;
  const known = Object.entries<Check<unknown>>(checks).filter(([key, check]) => key in stored && check(stored[key]));
  return { ...initialView, ...Object.fromEntries(known.map(([key]) => [key, stored[key]])) };
}
