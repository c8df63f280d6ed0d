/** @file All rules, in the order of their codes. A rule is one file, named here once. */
import type { Rule } from '../define.ts';
import { anyValue } from './100/jl101-any.ts';
import { unionValue } from './100/jl102-union.ts';
import { optionalValue } from './100/jl103-optional.ts';
import { branchTypes } from './100/jl104-branches.ts';
import { unset } from './100/jl105-unset.ts';
import { loopState } from './100/jl106-loop-state.ts';
import { mixedArray } from './100/jl107-mixed-array.ts';
import { emptyArray } from './100/jl108-empty-array.ts';
import { fraction } from './100/jl109-fraction.ts';
import { noIrType } from './100/jl110-no-ir-type.ts';
import { classInstance } from './100/jl111-class-instance.ts';
import { enums, generics } from './100/notes.ts';
import { rangeLoop } from './200/jl201-range.ts';
import { mutableArray } from './200/jl203-mutable-array.ts';
import { fixedLength } from './200/jl203b-fixed-length.ts';
import { changedWhileWalked } from './200/jl204-changed-while-walked.ts';
import { cStyleFor } from './200/jl205-for.ts';
import { forIn } from './200/jl206-for-in.ts';
import { whileReads } from './200/jl207-while-reads.ts';
import { tensorTruth } from './200/jl209-tensor-truth.ts';
import { branchRead } from './200/jl210-branch-read.ts';
import { ternary } from './200/jl211-ternary.ts';
import { truthiness } from './200/jl212-truthiness.ts';
import { labels } from './200/jl213-labels.ts';
import { missingReturn } from './200/jl214-missing-return.ts';
import { fallThrough } from './200/jl215-fall-through.ts';
import { tryCatch } from './200/jl216-try.ts';
import { suspends } from './200/jl218-suspends.ts';
import { otherAwait } from './200/jl219-await.ts';
import { endless } from './200/jl220-endless.ts';
import { tupleLoop, doWhile, raises } from './200/notes.ts';
import { constant } from './300/jl301-constant.ts';
import { changingCapture } from './300/jl302-changing-capture.ts';
import { capturedTensor } from './300/jl303-captured-tensor.ts';
import { escapes } from './300/jl304-escapes.ts';
import { recursion } from './300/jl306-recursion.ts';
import { hostCall } from './300/jl307-host-call.ts';
import { nondeterministic } from './300/jl308-nondeterministic.ts';
import { mathOnTensor } from './300/jl309-math.ts';
import { printing } from './300/jl310-console.ts';
import { hiddenCode } from './300/jl311-hidden-code.ts';
import { dynamicKey } from './300/jl312-dynamic-key.ts';
import { destructuring } from './300/jl313-destructuring.ts';
import { spread } from './300/jl314-spread.ts';
import { template } from './300/jl315-template.ts';
import { optionalChain } from './300/jl316-optional-chain.ts';
import { casts } from './300/jl317-casts.ts';
import { hiddenEffects } from './300/jl318-hidden-effects.ts';
import { coercion } from './300/jl319-coercion.ts';
import { strings } from './300/jl320-strings.ts';
import { nested } from './300/notes.ts';
import { operators } from './400/jl401-operators.ts';
import { needlessRead } from './400/jl402-needless-read.ts';
import { rawData } from './400/jl403-raw-data.ts';
import { shapeBranch } from './400/jl404-shape-branch.ts';
import { shapeLoop } from './400/jl405-shape-loop.ts';
import { inPlace } from './400/jl406-in-place.ts';
import { savedForBackward } from './400/jl407-saved.ts';
import { upload } from './400/jl408-upload.ts';
import { dtype } from './400/jl409-dtype.ts';
import { shapes } from './400/jl410-shapes.ts';
import { unknownSize } from './400/jl411-unknown-size.ts';
import { state } from './500/jl501-state.ts';
import { newModule } from './500/jl503-new-module.ts';
import { moduleArray } from './500/jl504-module-array.ts';
import { listIndex } from './500/jl505-list-index.ts';
import { excludedCall } from './500/jl507-excluded-call.ts';
import { training, inheritance } from './500/notes.ts';
import { traceNotes } from './600/notes.ts';
import { fusionStopped, mergeable } from './700/notes.ts';

export const rules: readonly Rule[] = [
  anyValue,
  unionValue,
  optionalValue,
  branchTypes,
  unset,
  loopState,
  mixedArray,
  emptyArray,
  fraction,
  noIrType,
  classInstance,
  enums,
  generics,
  rangeLoop,
  tupleLoop,
  mutableArray,
  fixedLength,
  changedWhileWalked,
  cStyleFor,
  forIn,
  whileReads,
  doWhile,
  tensorTruth,
  branchRead,
  ternary,
  truthiness,
  labels,
  missingReturn,
  fallThrough,
  tryCatch,
  raises,
  suspends,
  otherAwait,
  endless,
  constant,
  changingCapture,
  capturedTensor,
  escapes,
  nested,
  recursion,
  hostCall,
  nondeterministic,
  mathOnTensor,
  printing,
  hiddenCode,
  dynamicKey,
  destructuring,
  spread,
  template,
  optionalChain,
  casts,
  hiddenEffects,
  coercion,
  strings,
  operators,
  needlessRead,
  rawData,
  shapeBranch,
  shapeLoop,
  inPlace,
  savedForBackward,
  upload,
  dtype,
  shapes,
  unknownSize,
  state,
  training,
  newModule,
  moduleArray,
  listIndex,
  inheritance,
  excludedCall,
  ...traceNotes,
  fusionStopped,
  mergeable,
];

export function ruleOf(code: string): Rule | undefined {
  return rules.find((rule) => rule.code.toUpperCase() === code.toUpperCase());
}
