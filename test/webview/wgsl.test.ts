/** @file Colouring of WGSL: nothing of a line is lost. */
import { expect, it } from 'vitest';
import { tokenise } from '../../webview/model/wgsl.ts';
import { conv2dProfile } from '../fixtures/profiles.ts';

it('keeps every letter', () => {
  for (const line of (conv2dProfile().kernels[0]?.wgsl ?? '').split('\n')) {
    expect(
      tokenise(line)
        .map((token) => token.text)
        .join(''),
    ).toBe(line);
  }
});

it('tells the kinds apart', () => {
  const kinds = (line: string) =>
    tokenise(line)
      .filter((token) => token.kind !== 'plain')
      .map(({ kind, text }) => `${kind} ${text}`);
  expect(kinds('@compute @workgroup_size(64u) // go')).toEqual([
    'attribute @compute',
    'attribute @workgroup_size',
    'number 64u',
    'comment // go',
  ]);
  expect(kinds('let a: vec3<f32> = fma(x1, 1.5e-3f, 0x1Fu);')).toEqual([
    'keyword let',
    'type vec3',
    'type f32',
    'call fma',
    'number 1.5e-3f',
    'number 0x1Fu',
  ]);
});
