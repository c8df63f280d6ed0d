/** @file JL320: strings that are computed. In: JSON, text methods, texts given to ops. Out: a report. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { bare } from '../../facts/functions.ts';
import { isOwnCall } from '../../facts/uses.ts';
import { resolved } from '../../facts/writes.ts';
import { isNamed } from '../../facts/words.ts';
import { ts, type TS } from '../../typescript.ts';

const SEARCHES = new Set(['match', 'matchAll', 'replace', 'replaceAll', 'search', 'split', 'test', 'exec']);

export const strings = defineRule({
  code: 'JL320',
  title: 'A string that is computed',
  severity: 'error',
  doc: `
    Strings are constants in a graph: names of dtypes and modes, messages. They cannot be parsed, searched or put together for
    an op. Do that outside.`,
  pytorch: 'Strings have some methods in TorchScript; regular expressions and JSON are refused.',
  on: 'CallExpression',
  check(node, context) {
    const { types } = context;
    const { expression: callee } = node;
    if (ts.isPropertyAccessExpression(callee)) {
      const on = callee.expression;
      const symbol = isNamed(on, 'JSON') ? types.symbol(on) : undefined;
      const text = SEARCHES.has(callee.name.text) && ['string', 'record'].includes(types.kinds(context.type(on))[0] ?? '');
      const method = text && !types.isAny(context.type(on)) ? types.symbol(callee.name) : undefined;
      if ((symbol && types.isHost(symbol)) || (method && types.isHost(method))) {
        context.report(node, `‘${context.text(callee)}’ works on text, which a graph does not have`);
        return;
      }
    }
    if (!isOwnCall(node, types)) return;
    for (const argument of node.arguments) {
      // How it is written first: types of arguments are costly.
      if (isBuilt(argument, context) && types.kinds(context.type(argument))[0] === 'string')
        context.report(argument, `‘${context.text(argument)}’ is put together at run time; an op takes constant strings`);
    }
  },
  bad: [
    `const k = JSON.parse('2') as number;
            //^^^^^^^^^^^^^^^ JL320: ‘JSON.parse’ works on text, which a graph does not have
    return x.mul(k);`,
    `return einsum('ij,jk' + (n > 1 ? '->ik' : '->ki'), [x, y]);
                //^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ JL320`,
    `const parts = 'a,b'.split(',').length;
                //^^^^^^^^^^^^^^^^ JL320
    return x.mul(parts);`,
  ],
  good: [
    `return einsum('ij,jk->ik', [x, y]).to('int32');`,
    `const mode = n > 1 ? 'float32' : 'int32';
    return x.to(mode);`,
  ],
});

function isBuilt(node: TS.Expression, { types }: Context): boolean {
  const at = resolved(bare(node), types);
  if (ts.isTemplateExpression(at)) return true;
  return ts.isBinaryExpression(at) && at.operatorToken.kind === ts.SyntaxKind.PlusToken && !types.of(at).isStringLiteral();
}
