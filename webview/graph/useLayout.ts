/**
 * @file The scene for a graph: a quick one at once, the good one when the worker has it. In: the graph, the direction,
 * the worker. Out: the scene to draw, whether the worker is busy, and a way to stop it.
 */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Graph } from '../model/graph.ts';
import type { Direction } from '../model/viewState.ts';
import { layoutCompound } from './compound.ts';
import { createLayouter, type Layouter } from './layouter.ts';
import { quickLayout } from './quick.ts';
import { buildScene, layoutRequest, type Scene } from './scene.ts';
import { readTheme, titleFont } from './theme.ts';

/** Boxes up to which the good layout is there before a flash of the quick one would be seen. */
const WAIT_FOR_WORKER = 120;

function textMeasure(): (text: string, bold: boolean) => number {
  const context = document.createElement('canvas').getContext('2d');
  const theme = readTheme();
  return (text, bold) => {
    if (!context) return text.length * 7;
    context.font = titleFont(theme, bold);
    return context.measureText(text).width;
  };
}

export interface LayoutState {
  readonly scene?: Scene;
  readonly busy: boolean;
  readonly problem?: string;
  cancel(): void;
}

interface Result {
  readonly request: unknown;
  readonly scene?: Scene;
  readonly busy: boolean;
  readonly problem?: string;
}

export function useLayout(graph: Graph, direction: Direction, workerUrl: string): LayoutState {
  const layouter = useRef<Layouter>(undefined);
  const request = useMemo(() => layoutRequest(graph, direction, textMeasure()), [graph, direction]);
  const quick = useMemo(() => buildScene(graph, layoutCompound(request, quickLayout), direction), [graph, request, direction]);
  const [result, setResult] = useState<Result>();

  useEffect(() => {
    layouter.current ??= createLayouter(workerUrl);
    const { current } = layouter;
    setResult({ request, busy: true });
    current.start(request, (reply) => {
      if ('layout' in reply) setResult({ request, scene: buildScene(graph, reply.layout, direction), busy: false });
      else setResult({ request, busy: false, problem: reply.error });
    });
    return () => current.cancel();
  }, [graph, request, direction, workerUrl]);

  // A result of an earlier graph is no picture of this one.
  const mine = result?.request === request ? result : undefined;
  const busy = mine?.busy ?? true;
  const early = busy && graph.items.size <= WAIT_FOR_WORKER ? undefined : quick;
  return {
    scene: mine?.scene ?? early,
    busy,
    problem: mine?.problem,
    cancel() {
      layouter.current?.cancel();
      setResult({ request, busy: false });
    },
  };
}
