/**
 * @file Pan and zoom of the canvas, by d3-zoom. In: the canvas and what was remembered. Out: a transform, a notice of
 * each change; moves glide unless the user asked for less motion.
 */
import { select } from 'd3-selection';
import { zoom, zoomIdentity, type ZoomTransform } from 'd3-zoom';
import type { Zoom } from '../model/viewState.ts';
import type { Rect } from './layoutTypes.ts';

export interface Viewport {
  readonly zoom: Zoom;
  set(zoom: Zoom, glide?: boolean): void;
  by(factor: number): void;
  fit(size: { readonly width: number; readonly height: number }, glide?: boolean): void;
  /** Brings a rectangle into sight, moving no more than is needed. */
  show(rect: Rect): void;
  destroy(): void;
}

const GLIDE_MS = 180;
const MARGIN = 28;

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
  return {
    get zoom() {
      return { x: current.x, y: current.y, k: current.k };
    },
    set,
    by: (factor) => behaviour.scaleBy(selection, factor),
    fit({ width, height }, glide) {
      const { clientWidth, clientHeight } = canvas;
      const space = (outer: number, inner: number): number => Math.max(1, outer - 2 * MARGIN) / Math.max(1, inner);
      const whole = Math.min(space(clientWidth, width), space(clientHeight, height), 1.15);
      // A graph too long to be read at once starts at its beginning, readable.
      const k =
        whole < 0.3
          ? Math.min(1, Math.max(whole, Math.max(0.5, Math.min(space(clientWidth, width), space(clientHeight, height)))))
          : whole;
      const at = (outer: number, inner: number): number => (inner * k > outer - 2 * MARGIN ? MARGIN : (outer - inner * k) / 2);
      const centred = width * k > clientWidth ? (clientWidth - width * k) / 2 : at(clientWidth, width);
      set({ x: height > width ? centred : at(clientWidth, width), y: at(clientHeight, height), k }, glide);
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
