/**
 * @file Pan and zoom of the canvas, by d3-zoom. In: the canvas and what was remembered. Out: a transform, a notice of
 * each change; moves glide unless the user asked for less motion.
 */
import { select } from 'd3-selection';
import { zoom, zoomIdentity, type ZoomTransform } from 'd3-zoom';
import type { Direction, Zoom } from '../model/viewState.ts';
import type { Rect } from './layoutTypes.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Viewport {
  readonly zoom: Zoom;
  set(zoom: Zoom, glide?: boolean): void;
  by(factor: number): void;
  /** The whole graph, however small. */
  fit(size: Size, glide?: boolean): void;
  /** The whole graph if it can be read so, else its beginning. */
  start(size: Size & { readonly direction: Direction }, first: Rect): void;
  /** Brings a rectangle into sight, moving no more than is needed. */
  show(rect: Rect): void;
  destroy(): void;
}

const GLIDE_MS = 180;
const MARGIN = 28;
const READABLE = 0.7;
const LARGEST_FIT = 1.15;

export function createViewport(canvas: HTMLCanvasElement, changed: (zoom: Zoom, byUser: boolean) => void): Viewport {
  const selection = select<HTMLCanvasElement, unknown>(canvas);
  let current: ZoomTransform = zoomIdentity;
  let frame = 0;
  const behaviour = zoom<HTMLCanvasElement, unknown>()
    .scaleExtent([0.01, 3])
    .clickDistance(4)
    .on('zoom', (event: { readonly transform: ZoomTransform; readonly sourceEvent: unknown }) => {
      current = event.transform;
      if (event.sourceEvent) cancelAnimationFrame(frame);
      changed({ x: current.x, y: current.y, k: current.k }, Boolean(event.sourceEvent));
    });
  selection.call(behaviour).on('dblclick.zoom', null);

  const jump = ({ x, y, k }: Zoom): void => behaviour.transform(selection, zoomIdentity.translate(x, y).scale(k));
  const set = (target: Zoom, glide = false): void => {
    cancelAnimationFrame(frame);
    if (!glide || matchMedia('(prefers-reduced-motion: reduce)').matches) return jump(target);
    const from = current;
    const start = performance.now();
    const step = (now: number): void => {
      const linear = Math.min(1, (now - start) / GLIDE_MS);
      const eased = 1 - (1 - linear) ** 3;
      const mix = (a: number, b: number): number => a + (b - a) * eased;
      jump({ x: mix(from.x, target.x), y: mix(from.y, target.y), k: mix(from.k, target.k) });
      if (linear < 1) frame = requestAnimationFrame(step);
    };
    frame = requestAnimationFrame(step);
  };
  const whole = (width: number, height: number): number => {
    const space = (outer: number, inner: number): number => Math.max(1, outer - 2 * MARGIN) / Math.max(1, inner);
    return Math.min(space(canvas.clientWidth, width), space(canvas.clientHeight, height), LARGEST_FIT);
  };
  return {
    get zoom() {
      return { x: current.x, y: current.y, k: current.k };
    },
    set,
    by: (factor) => behaviour.scaleBy(selection, factor),
    fit({ width, height }, glide) {
      const k = whole(width, height);
      set({ x: (canvas.clientWidth - width * k) / 2, y: (canvas.clientHeight - height * k) / 2, k }, glide);
    },
    start({ width, height, direction }, first) {
      const k = Math.max(whole(width, height), READABLE);
      const origin = (outer: number, inner: number, at: number, size: number, along: boolean): number => {
        if (inner * k <= outer - MARGIN) return (outer - inner * k) / 2;
        return along ? MARGIN - at * k : outer / 2 - (at + size / 2) * k;
      };
      const { clientWidth, clientHeight } = canvas;
      set({
        x: origin(clientWidth, width, first.x, first.width, direction === 'LR'),
        y: origin(clientHeight, height, first.y, first.height, direction === 'TB'),
        k,
      });
    },
    show(rect) {
      const { x, y, k } = current;
      const shift = (from: number, size: number, origin: number, outer: number): number => {
        const low = from * k + origin;
        const high = low + size * k;
        if (size * k > outer - 2 * MARGIN) return low > outer - MARGIN || high < MARGIN ? outer / 2 - (low + high) / 2 : 0;
        return low < MARGIN ? MARGIN - low : high > outer - MARGIN ? outer - MARGIN - high : 0;
      };
      const dx = shift(rect.x, rect.width, x, canvas.clientWidth);
      const dy = shift(rect.y, rect.height, y, canvas.clientHeight);
      if (dx !== 0 || dy !== 0) set({ x: x + dx, y: y + dy, k }, true);
    },
    destroy() {
      cancelAnimationFrame(frame);
      selection.on('.zoom', null);
    },
  };
}
