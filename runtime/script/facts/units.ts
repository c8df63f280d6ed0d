/** @file Which functions work on tensors. In: a function. Out: whether a parameter, a result or a local of it is a tensor. */
import { ts, type TS } from '../typescript.ts';
import { classOf, isFunctionLike, walk, type FunctionNode } from './functions.ts';
import type { Types } from './types.ts';

export function worksOnTensors(fn: FunctionNode, types: Types): boolean {
  const owner = classOf(fn);
  if (owner && fn.parent === owner && ts.isMethodDeclaration(fn) && types.isModule(types.of(owner))) return true;
  if (fn.parameters.some((p) => holds(types.of(p.name), types))) return true;
  if (givesTensors(fn, types)) return true;
  let found = false;
  walk(fn, (node) => {
    if (found || isFunctionLike(node)) return false;
    if (ts.isVariableDeclaration(node)) found = holds(types.of(node.name), types);
    return !found;
  });
  return found;
}

function givesTensors(fn: FunctionNode, types: Types): boolean {
  const { body } = fn;
  if (!fn.type && body && !ts.isBlock(body)) {
    // Told by the text where it can be: the checker looks for what is wanted of a function that is passed on, which takes long.
    const elements = ts.isArrayLiteralExpression(body) && !body.elements.some(ts.isSpreadElement) ? body.elements : undefined;
    if (elements) return elements.some((element) => types.mayBeTensor(types.of(element)));
    if (ts.isNewExpression(body)) return holds(types.of(body), types);
  }
  const [signature] = types.of(fn).getCallSignatures();
  return signature !== undefined && holds(signature.getReturnType(), types);
}

/** A tensor, or a list, tuple or promise of tensors. */
function holds(type: TS.Type, types: Types): boolean {
  if (types.mayBeTensor(type)) return true;
  return types.parts(type).some((part) => {
    const name = part.getSymbol()?.name;
    const list = types.checker.isTupleType(part) || types.checker.isArrayType(part) || name === 'Promise';
    return list && types.checker.getTypeArguments(part as TS.TypeReference).some((t) => types.mayBeTensor(t));
  });
}
