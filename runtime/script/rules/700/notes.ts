/** @file JL701, JL702: what the compiler says about speed. They have pages here; the fuser finds them. */
import { defineNote } from '../../define.ts';

export const fusionStopped = defineNote({
  code: 'JL701',
  title: 'Fusion stopped',
  doc: `
    Two ops are not one kernel because of a write in place, a read, a reduction over another axis, a value that two others use,
    or more tensors than one kernel may bind. The message says which.`,
});

export const mergeable = defineNote({
  code: 'JL702',
  title: 'Products that could be one',
  doc: 'Several matrix products of one form can be computed as one larger product, which keeps the GPU busier.',
});
