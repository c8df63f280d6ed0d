/**
 * @file The layout worker. In: one request, from the panel. Out: its layout, or why there is none. It is cancelled by
 * being ended, so it keeps nothing between requests.
 */
import { layoutCompound } from './compound.ts';
import type { LayoutReply, LayoutRequest } from './layoutTypes.ts';
import { sugiyamaLayout } from './sugiyama.ts';

addEventListener('message', ({ data }: MessageEvent<LayoutRequest>) => {
  let reply: LayoutReply;
  try {
    reply = { id: data.id, layout: layoutCompound(data, sugiyamaLayout) };
  } catch (error) {
    reply = { id: data.id, error: error instanceof Error ? error.message : String(error) };
  }
  postMessage(reply);
});
