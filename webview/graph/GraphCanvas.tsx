/**
 * @file The canvas: draws the scene, pans, zooms, and says what was clicked. In: the scene and what is marked. Out:
 * boxes that the user chose or opened. Frames are drawn on demand, never in a loop.
 */
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Zoom } from '../model/viewState.ts';
import { HEADER } from './compound.ts';
import { drawScene, type SceneMarks } from './draw.ts';
import type { Point } from './layoutTypes.ts';
import { boxAt, type Scene, type SceneBox } from './scene.ts';
import { readTheme, watchTheme } from './theme.ts';
import { createViewport, type Viewport } from './viewport.ts';

interface GraphCanvasProps {
  readonly scene: Scene;
  readonly marks: SceneMarks;
  readonly viewport: { current: Viewport | undefined };
  readonly label: string;
  readonly activeId?: string;
  readonly tooltip: (box: SceneBox) => string;
  readonly onZoom: (zoom: Zoom, byUser: boolean) => void;
  readonly onReady: () => void;
  readonly onChoose: (box: SceneBox | undefined) => void;
  readonly onOpen: (box: SceneBox) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

const CHEVRON = 30;

export function GraphCanvas(props: GraphCanvasProps): VNode {
  const canvas = useRef<HTMLCanvasElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const redraw = useRef<() => void>(() => undefined);

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d', { alpha: false });
    if (!element || !context) return;
    let theme = readTheme();
    let frame = 0;
    const draw = (): void => {
      frame = 0;
      const { scene, marks } = latest.current;
      drawScene(context, scene, { ...viewport.zoom, width: element.clientWidth, height: element.clientHeight }, marks, theme);
    };
    const soon = (): void => {
      if (frame === 0) frame = requestAnimationFrame(draw);
    };
    const viewport = createViewport(element, (zoom, byUser) => {
      latest.current.onZoom(zoom, byUser);
      soon();
    });
    latest.current.viewport.current = viewport;
    redraw.current = soon;
    const resize = (): void => {
      const ratio = window.devicePixelRatio || 1;
      element.width = Math.round(element.clientWidth * ratio);
      element.height = Math.round(element.clientHeight * ratio);
      // Setting the size cleared it: waiting for a frame would flash.
      draw();
    };
    const observer = new ResizeObserver(resize);
    observer.observe(element);
    resize();
    latest.current.onReady();
    const unwatch = watchTheme(() => {
      theme = readTheme();
      soon();
    });
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      unwatch();
      viewport.destroy();
      latest.current.viewport.current = undefined;
    };
  }, []);

  useEffect(() => redraw.current(), [props.scene, props.marks]);

  const pointOf = ({ offsetX, offsetY }: MouseEvent): Point => {
    const { x, y, k } = props.viewport.current?.zoom ?? { x: 0, y: 0, k: 1 };
    return [(offsetX - x) / k, (offsetY - y) / k];
  };
  const onChevron = (box: SceneBox, [x, y]: Point): boolean =>
    box.item.kind === 'kernel' && x > box.x + box.width - CHEVRON && y < box.y + CHEVRON;

  const click = (event: MouseEvent): void => {
    const point = pointOf(event);
    const box = boxAt(props.scene, point);
    if (box && onChevron(box, point)) props.onOpen(box);
    else props.onChoose(box);
  };
  const doubleClick = (event: MouseEvent): void => {
    const box = boxAt(props.scene, pointOf(event));
    if (box?.item.kind === 'kernel' && !onChevron(box, pointOf(event))) props.onOpen(box);
  };
  const hover = (event: MouseEvent): void => {
    const box = boxAt(props.scene, pointOf(event));
    if (canvas.current) canvas.current.style.cursor = box ? 'pointer' : 'grab';
    if (!tip.current) return;
    // Inside of an open kernel the pointer is mostly on the way to an op.
    const over = box && !(box.item.open && pointOf(event)[1] > box.y + HEADER);
    tip.current.hidden = !over || event.buttons !== 0;
    if (!over) return;
    tip.current.textContent = props.tooltip(box);
    const { clientWidth, clientHeight } = event.currentTarget as HTMLElement;
    const { offsetWidth, offsetHeight } = tip.current;
    tip.current.style.left = `${Math.max(4, Math.min(event.offsetX + 14, clientWidth - offsetWidth - 4))}px`;
    tip.current.style.top = `${event.offsetY + 20 + offsetHeight > clientHeight ? event.offsetY - offsetHeight - 10 : event.offsetY + 20}px`;
  };
  const leave = (): void => {
    if (tip.current) tip.current.hidden = true;
  };

  return (
    <div class="canvas-box">
      <canvas
        ref={canvas}
        class="canvas"
        tabIndex={0}
        role="application"
        aria-label={props.label}
        aria-activedescendant={props.activeId}
        onClick={click}
        onDblClick={doubleClick}
        onMouseMove={hover}
        onMouseLeave={leave}
        onKeyDown={(event: KeyboardEvent) => {
          leave();
          props.onKeyDown(event);
        }}
      />
      <div class="tip" ref={tip} hidden aria-hidden="true" />
    </div>
  );
}
