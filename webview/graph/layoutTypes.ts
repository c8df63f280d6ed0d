/**
 * @file What goes to the layout worker and comes back. Sizes and positions are in the graph's own units, at zoom 1 one
 * CSS pixel; a box's position is its top left corner. Boxes of open kernels name their kernel as `parent`.
 */
export type Point = readonly [x: number, y: number];

export interface LayoutBox {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly parent?: string;
}

export interface LayoutEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly parent?: string;
}

export interface LayoutRequest {
  readonly id: number;
  readonly boxes: readonly LayoutBox[];
  readonly edges: readonly LayoutEdge[];
  readonly direction: 'TB' | 'LR';
}

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export function meets(a: Rect, b: Rect): boolean {
  return a.x <= b.x + b.width && b.x <= a.x + a.width && a.y <= b.y + b.height && b.y <= a.y + a.height;
}

export interface Layout {
  readonly boxes: ReadonlyMap<string, Rect>;
  readonly edges: ReadonlyMap<string, readonly Point[]>;
  readonly width: number;
  readonly height: number;
}

export type LayoutReply = { readonly id: number; readonly layout: Layout } | { readonly id: number; readonly error: string };

/** One level, always top to bottom: positions are centres, bends the points of an edge between its ends. */
export interface FlatLayout {
  readonly centres: ReadonlyMap<string, Point>;
  readonly bends: ReadonlyMap<string, readonly Point[]>;
  readonly width: number;
  readonly height: number;
}

export interface Gaps {
  readonly between: number;
  readonly layers: number;
}

export type FlatEngine = (boxes: readonly LayoutBox[], edges: readonly LayoutEdge[], gaps: Gaps) => FlatLayout;
