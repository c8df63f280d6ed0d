/**
 * @file Types that need no checker. In: an expression. Out: its type, where it is a tensor or a number by declaration alone:
 * chains of methods that give one type whatever their arguments are. Everything else is the checker's; both agree on code
 * without type errors, and most expressions of tensor code are such chains.
 */
import { ts, type TS } from '../typescript.ts';
import type { Types } from './types.ts';
import { isCompared } from './writes.ts';
import { signOf } from './words.ts';

/** What gives a truth value, whatever stands on both sides. */
const COMPARES: ReadonlySet<string> = new Set(['<', '>', '<=', '>=', '===', '!==', '==', '!=']);

export class Quick {
  private readonly results = new Map<TS.Symbol, TS.Type | undefined>();
  private readonly variables = new Map<TS.Symbol, TS.Type | undefined>();

  constructor(private readonly types: Types) {}

  /** `undefined` where the checker must say. */
  type(node: TS.Node): TS.Type | undefined {
    if (ts.isParenthesizedExpression(node)) return this.types.of(node.expression);
    if (ts.isIdentifier(node)) {
      if (ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) return undefined;
      return this.declared(this.types.symbol(node));
    }
    if (ts.isCallExpression(node) && !ts.isOptionalChain(node)) {
      const callee = this.callee(node.expression);
      return callee && this.resultOf(callee);
    }
    if (ts.isNewExpression(node)) return this.instance(node.expression);
    if (ts.isBinaryExpression(node)) return COMPARES.has(signOf(node)) ? this.types.checker.getBooleanType() : undefined;
    if (ts.isParameter(node)) return this.declared(this.types.symbol(node.name));
    if (ts.isPropertyAccessExpression(node)) {
      const member = this.member(node);
      const type = member && this.types.checker.getTypeOfSymbol(member);
      return type && (type.getCallSignatures().length > 0 ? type : this.fixed(type));
    }
    return undefined;
  }

  /** A method of a tensor, or a function that says what it gives. */
  private callee(node: TS.Expression): TS.Symbol | undefined {
    if (ts.isPropertyAccessExpression(node)) return this.member(node);
    const symbol = ts.isIdentifier(node) ? this.types.symbol(node) : undefined;
    const [declaration, ...others] = symbol?.declarations ?? [];
    const plain = declaration && ts.isFunctionDeclaration(declaration) && declaration.type && others.length === 0;
    return plain ? symbol : undefined;
  }

  /** What `new` makes of a class without type parameters. */
  private instance(node: TS.Expression): TS.Type | undefined {
    const name = ts.isPropertyAccessExpression(node) ? node.name : node;
    const symbol = ts.isIdentifier(name) ? this.types.symbol(name) : undefined;
    const declaration = symbol?.valueDeclaration;
    if (!symbol || !declaration || !ts.isClassDeclaration(declaration) || declaration.typeParameters) return undefined;
    return this.types.checker.getDeclaredTypeOfSymbol(symbol);
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
  declared(symbol: TS.Symbol | undefined): TS.Type | undefined {
    const declaration = symbol?.valueDeclaration;
    if (!symbol || !declaration) return undefined;
    if (this.variables.has(symbol)) return this.variables.get(symbol);
    // Nothing is known while it is found out: a variable may be given itself.
    this.variables.set(symbol, undefined);
    const type = this.variable(declaration);
    this.variables.set(symbol, type && this.fixed(type));
    return this.variables.get(symbol);
  }

  private variable(declaration: TS.Declaration): TS.Type | undefined {
    if (ts.isParameter(declaration)) return this.annotated(declaration);
    if (ts.isBindingElement(declaration)) return this.element(declaration);
    if (!ts.isVariableDeclaration(declaration) || !ts.isIdentifier(declaration.name)) return undefined;
    const { type, initializer } = declaration;
    if (type) return this.types.checker.getTypeFromTypeNode(type);
    const loop = declaration.parent.parent;
    if (ts.isForOfStatement(loop)) return loop.awaitModifier ? undefined : this.elementOf(loop.expression, declaration.name);
    if (!initializer || !(ts.isCallExpression(initializer) || ts.isIdentifier(initializer))) return undefined;
    if (declaration.getSourceFile().isDeclarationFile || (declaration.flags & ts.NodeFlags.JavaScriptFile) !== 0)
      return undefined;
    return this.type(initializer);
  }

  /** `a` of `const [a, b] = x.shape`, where the user's settings do not say that it may be missing. */
  private element({ parent, name, dotDotDotToken, initializer }: TS.BindingElement): TS.Type | undefined {
    if (!ts.isArrayBindingPattern(parent) || dotDotDotToken || initializer || this.types.uncheckedIndices) return undefined;
    const source = parent.parent;
    if (!ts.isVariableDeclaration(source) || source.type || !source.initializer || !ts.isIdentifier(name)) return undefined;
    return this.elementOf(source.initializer, name);
  }

  /** What a variable is that is given the elements of a list. */
  private elementOf(list: TS.Expression, name: TS.Identifier): TS.Type | undefined {
    if (isCompared(name.text, name.getSourceFile())) return undefined;
    return this.types.elementOf(this.types.of(list));
  }

  private annotated({ name, type, questionToken, initializer, dotDotDotToken }: TS.ParameterDeclaration): TS.Type | undefined {
    if (!type || questionToken || initializer || dotDotDotToken || !ts.isIdentifier(name)) return undefined;
    return this.types.checker.getTypeFromTypeNode(type);
  }

  private fixed(type: TS.Type): TS.Type | undefined {
    const { checker } = this.types;
    const plain = type.flags === ts.TypeFlags.Number || this.isPlainTensor(type);
    return plain || checker.isArrayType(type) || checker.isTupleType(type) ? type : undefined;
  }
}
