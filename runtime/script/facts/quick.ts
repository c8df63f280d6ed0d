/**
 * @file Types that need no checker. In: an expression. Out: its type, where it is a tensor or a number by declaration alone:
 * chains of methods that give one type whatever their arguments are. Everything else is the checker's; both agree on code
 * without type errors, and most expressions of tensor code are such chains.
 */
import { ts, type TS } from '../typescript.ts';
import type { Types } from './types.ts';

export class Quick {
  private readonly results = new Map<TS.Symbol, TS.Type | undefined>();
  private readonly asked = new Set<TS.Symbol>();

  constructor(private readonly types: Types) {}

  /** `undefined` where the checker must say. */
  type(node: TS.Node): TS.Type | undefined {
    if (ts.isParenthesizedExpression(node)) return this.types.of(node.expression);
    if (ts.isIdentifier(node)) {
      if (ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) return undefined;
      return this.declared(this.types.symbol(node));
    }
    if (ts.isCallExpression(node) && !ts.isOptionalChain(node)) {
      const { expression } = node;
      const method = ts.isPropertyAccessExpression(expression) ? this.member(expression) : undefined;
      return method && this.resultOf(method);
    }
    if (ts.isPropertyAccessExpression(node)) {
      const member = this.member(node);
      const type = member && this.types.checker.getTypeOfSymbol(member);
      return type && (type.getCallSignatures().length > 0 ? type : this.fixed(type));
    }
    return undefined;
  }

  /** What of a tensor a name after a `.` stands for. */
  member(node: TS.PropertyAccessExpression): TS.Symbol | undefined {
    if (node.questionDotToken || node.expression.kind === ts.SyntaxKind.ThisKeyword) return undefined;
    const on = this.types.of(node.expression);
    if (!this.isPlainTensor(on)) return undefined;
    return this.types.checker.getPropertyOfType(on, node.name.text);
  }

  private isPlainTensor(type: TS.Type): boolean {
    return (type.flags & ts.TypeFlags.Object) !== 0 && this.types.isClass(type, 'Tensor');
  }

  /** What all signatures of a method give. */
  private resultOf(method: TS.Symbol): TS.Type | undefined {
    if (this.results.has(method)) return this.results.get(method);
    const signatures = this.types.checker.getTypeOfSymbol(method).getCallSignatures();
    const [first, ...rest] = signatures;
    const result = first?.getReturnType();
    const same =
      signatures.every((s) => !s.typeParameters) && rest.every((s) => s.getReturnType() === result) ? result : undefined;
    const plain = same && (same.flags & ts.TypeFlags.TypeParameter) === 0 ? same : undefined;
    this.results.set(method, plain);
    return plain;
  }

  /** The type of a variable that nothing can narrow. */
  private declared(symbol: TS.Symbol | undefined): TS.Type | undefined {
    const declaration = symbol?.valueDeclaration;
    if (!symbol || !declaration || this.asked.has(symbol)) return undefined;
    if (ts.isParameter(declaration)) {
      const { type, questionToken, initializer, dotDotDotToken } = declaration;
      if (!type || questionToken || initializer || dotDotDotToken || !ts.isIdentifier(declaration.name)) return undefined;
      return this.fixed(this.types.checker.getTypeFromTypeNode(type));
    }
    if (!ts.isVariableDeclaration(declaration) || !ts.isIdentifier(declaration.name)) return undefined;
    const { type, initializer } = declaration;
    if (type) return this.fixed(this.types.checker.getTypeFromTypeNode(type));
    if (!initializer || !(ts.isCallExpression(initializer) || ts.isIdentifier(initializer))) return undefined;
    if (declaration.getSourceFile().isDeclarationFile || (declaration.flags & ts.NodeFlags.JavaScriptFile) !== 0)
      return undefined;
    this.asked.add(symbol);
    const given = this.type(initializer);
    this.asked.delete(symbol);
    return given && this.fixed(given);
  }

  private fixed(type: TS.Type): TS.Type | undefined {
    const { checker } = this.types;
    const plain = type.flags === ts.TypeFlags.Number || this.isPlainTensor(type);
    return plain || checker.isArrayType(type) || checker.isTupleType(type) ? type : undefined;
  }
}
